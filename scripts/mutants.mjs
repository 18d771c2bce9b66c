// Deliberate bugs, each put into a copy of the engine, built, and shown to the
// tests, which must find it: first the native ones, and what those let pass to
// the random sequences. A bug that survives both is a hole in the tests: exit
// code 1.
//
//   node scripts/mutants.mjs [--by native|sequences] [part of a name]...
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { changedOnce, copyEngine } from "./engine-copy.mjs";
import { native, sequences } from "./mutants/judges.mjs";
import { mutants } from "./mutants/list.mjs";
import { main, Stop, say } from "./process.mjs";

const JUDGES = { native, sequences };

// A folder of its own: what an interrupted run left behind must not pass for sound.
const copy = mkdtempSync(join(tmpdir(), "gpalias-mutants-"));

/** The file's text with the bug in it. */
function withBug(mutant) {
  try {
    return changedOnce(readFileSync(join(copy, mutant.file), "utf8"), mutant, mutant.replace);
  } catch (error) {
    throw new Stop(`mutants: ${error.message}`);
  }
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
  copyEngine(copy);
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
