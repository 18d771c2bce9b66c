// Who looks for a deliberate bug. A judge takes the copy of the engine, builds
// what it needs, and says how it found the bug: an empty string if it did not.
// A copy that does not build, or sequences that end without a counterexample,
// prove nothing: a Stop that says what happened.
import { join } from "node:path";
import { buildByCmake } from "../cmake-addon.mjs";
import { capture, has, root, Stop } from "../process.mjs";

// A bug may make the engine loop for ever.
const LIMIT_MS = 10 * 60_000;
// Of each pair of strategy and flavour: more find nothing more, and take longer.
const SEQUENCES = "100";
const JOBS = "2";

function succeed(command, args) {
  const done = capture(command, args);
  if (done.code !== 0) throw new Stop(`${done.stdout}${done.stderr}mutants: ${command} ${args[0]} failed`);
}

// Compiled for the compiler's speed: what the tests claim does not depend on it.
function buildNativeTests(copy) {
  const out = join(copy, "out");
  const generator = has("ninja") ? ["-G", "Ninja"] : [];
  const type = ["-DCMAKE_BUILD_TYPE=Mutant", "-DCMAKE_CXX_FLAGS_MUTANT=-O0"];
  succeed("cmake", ["-S", copy, "-B", out, ...generator, ...type]);
  succeed("cmake", ["--build", out, "--parallel", JOBS, "--target", "native-tests"]);
  return join(out, "native-tests");
}

/** The native tests, in seconds. The witness is the first claim that fails. */
export function native(copy) {
  const binary = buildNativeTests(copy);
  const args = ["--no-colors=true", "--abort-after=1"];
  const { code, stdout } = capture(binary, args, { timeout: LIMIT_MS });
  if (code === 0) return "";
  const claim = /^TEST CASE: {2}(.*)$/m.exec(stdout)?.[1];
  return claim === undefined ? "by a crash or a hang" : `by "${claim.trim()}"`;
}

/** Random sequences, in minutes: engine against model, and the shortest difference. */
export function sequences(copy) {
  const addon = buildByCmake(copy, join(copy, "build"));
  const env = { GPALIAS_RUNS: SEQUENCES, ...process.env, GPALIAS_ADDON: addon, NO_COLOR: "1" };
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", "test/oracle/differential.test.ts", "-t", "random sequences"];
  const { code, stdout, stderr } = capture(process.execPath, args, { env, timeout: LIMIT_MS });
  return code === 0 ? "" : counterexample(stdout + stderr);
}

function counterexample(text) {
  const tests = /Property failed after (\d+) tests/.exec(text)?.[1];
  const steps = /^(\d+) steps$/m.exec(text)?.[1];
  if (tests === undefined || steps === undefined) throw new Stop(`${text}mutants: no counterexample`);
  const story = text.slice(text.indexOf("Caused by:"));
  const until = story.search(/\n\s*\n|\n ❯/);
  return `in sequence ${tests}, shrunk to ${steps} steps\n${story.slice(0, until).replaceAll(/^/gm, "    ")}`;
}
