// Deliberate bugs, each put into a copy of the engine, built, and shown to the
// tests, which must find it: first the native ones, and what those let pass to
// the random sequences. A bug that survives both is a hole in the tests: exit
// code 1.
//
//   node scripts/mutants.mjs [--by native|sequences] [part of a name]...
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { native, sequences } from "./mutants/judges.mjs";
import { mutants } from "./mutants/list.mjs";
import { main, root, Stop, say } from "./process.mjs";

const JUDGES = { native, sequences };

// A folder of its own: what an interrupted run left behind must not pass for sound.
const copy = mkdtempSync(join(tmpdir(), "gpalias-mutants-"));

function prepare() {
  for (const name of ["native", "test/native", "CMakeLists.txt", "package.json"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
}

/** The file's text with the bug in it. The place must be there, and only once. */
function withBug({ name, file, find, replace }) {
  const text = readFileSync(join(copy, file), "utf8");
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Stop(`mutants: "${name}" needs this once in ${file}, found ${places}: ${find}`);
  return text.replace(find, () => replace);
}

/** How the judge finds the bug, with the sound file put back afterwards. A judge that gives up finds nothing. */
function judge(name, mutant) {
  const path = join(copy, mutant.file);
  const sound = readFileSync(path, "utf8");
  writeFileSync(path, withBug(mutant));
  try {
    return JUDGES[name](copy);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    say(error.message);
    return "";
  } finally {
    writeFileSync(path, sound);
  }
}

const acquitted = new Set();

/** Whoever accuses the sound engine is no judge. Asked once, when first needed. */
function assertFair(name) {
  if (acquitted.has(name)) return;
  const found = JUDGES[name](copy);
  if (found !== "") throw new Stop(`mutants: ${name} find something without any bug: ${found}`);
  acquitted.add(name);
}

function findBy(names, mutant) {
  for (const name of names) {
    assertFair(name);
    const found = judge(name, mutant);
    if (found !== "") return `${name}: ${found}`;
  }
  return "";
}

/** Whether the mutant fared as its entry says. */
function tryMutant(names, mutant) {
  const { name, equivalent } = mutant;
  const found = findBy(names, mutant);
  if (equivalent !== undefined)
    say(`${name}: ${found ? `NOT EQUIVALENT, ${found}` : `no bug: ${equivalent}`}`);
  else say(`${name}: ${found || "SURVIVED"}`);
  return (found === "") === (equivalent !== undefined);
}

function tryAll(names, chosen) {
  prepare();
  for (const mutant of chosen) withBug(mutant);
  const right = chosen.filter((mutant) => tryMutant(names, mutant)).length;
  process.stdout.write(`${right} of ${chosen.length} bugs as expected\n`);
  return right === chosen.length ? 0 : 1;
}

await main(() => {
  const { values, positionals: parts } = parseArgs({
    allowPositionals: true,
    options: { by: { type: "string" } },
  });
  const names = values.by === undefined ? Object.keys(JUDGES) : [values.by];
  if (!names.every((name) => name in JUDGES)) throw new Stop(`mutants: no judge is named ${values.by}`, 2);
  const isChosen = ({ name }) => parts.length === 0 || parts.some((part) => name.includes(part));
  const chosen = mutants.filter(isChosen);
  if (chosen.length === 0) throw new Stop(`mutants: none is named ${parts.join(" or ")}`, 2);
  try {
    return tryAll(names, chosen);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});
