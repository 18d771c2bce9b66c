// Deliberate bugs, each put into a copy of the engine, built, and shown to the
// random sequences, which must find it and shrink it. A bug that survives is a
// hole in the tests: exit code 1.
//
//   node scripts/mutants.mjs [words]     only the bugs whose names hold every word
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildByCmake } from "./cmake-addon.mjs";
import { mutants } from "./mutants/list.mjs";
import { capture, main, root, Stop, say } from "./process.mjs";

// A folder of its own: what an interrupted run left behind must not pass for sound.
const copy = mkdtempSync(join(tmpdir(), "gpalias-mutants-"));
const vitest = join(root, "node_modules/vitest/vitest.mjs");

function prepare() {
  for (const name of ["native", "CMakeLists.txt", "package.json"])
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

// The tests that compare the engine with the reference model.
function test() {
  const addon = buildByCmake(copy, join(copy, "build"));
  const env = { ...process.env, GPALIAS_ADDON: addon, NO_COLOR: "1" };
  const args = ["run", "test/oracle/differential.test.ts", "-t", "random sequences"];
  const { code, stdout, stderr } = capture(process.execPath, [vitest, ...args], { env });
  return { code, text: stdout + stderr };
}

/** How it was found: an empty string if it was not, or not by a counterexample. */
function witness({ code, text }) {
  const tests = /Property failed after (\d+) tests/.exec(text)?.[1];
  const steps = /^(\d+) steps$/m.exec(text)?.[1];
  if (code === 0 || tests === undefined || steps === undefined) return "";
  const story = text.slice(text.indexOf("Caused by:"));
  const until = story.search(/\n\s*\n|\n ❯/);
  return `found in sequence ${tests}, shrunk to ${steps} steps\n${story.slice(0, until).replaceAll(/^/gm, "    ")}`;
}

function tryMutant(mutant) {
  const path = join(copy, mutant.file);
  const sound = readFileSync(path, "utf8");
  writeFileSync(path, withBug(mutant));
  const result = test();
  writeFileSync(path, sound);
  const found = witness(result);
  say(`${mutant.name}: ${found || `SURVIVED\n${result.code === 0 ? "" : result.text}`}`);
  return found !== "";
}

function tryAll(chosen) {
  prepare();
  for (const mutant of chosen) withBug(mutant);
  const sound = test();
  if (sound.code !== 0) throw new Stop(`${sound.text}mutants: the sequences fail without any bug`);
  const found = chosen.filter(tryMutant).length;
  process.stdout.write(`${found} of ${chosen.length} bugs found\n`);
  return found === chosen.length ? 0 : 1;
}

await main(() => {
  const words = process.argv.slice(2);
  const chosen = mutants.filter(({ name }) => words.every((word) => name.includes(word)));
  if (chosen.length === 0) throw new Stop(`mutants: none is named ${words.join(" ")}`, 2);
  try {
    return tryAll(chosen);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});
