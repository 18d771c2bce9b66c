// Fuzzes the readers of traces under ASan and UBSan (libFuzzer of clang).
//
//   node scripts/fuzz.mjs [TARGET...] [--seconds 10]
//
// A target is a file test/fuzz/TARGET_fuzz.cpp; its seeds are in
// test/fuzz/corpus/TARGET and stay as they are, words to try in TARGET.dict if
// there is one; what a run finds new goes to out/fuzz. An input that breaks a promise is kept there, and said.
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { sources } from "../native/sources.mjs";
import { capture, has, main, root, Stop, say } from "./process.mjs";

const COMPILERS = ["clang++-19", "clang++"];
const FLAGS = [
  ...["-std=c++20", "-O1", "-g", "-Inative"],
  ...["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
  // Helpers of the tests may check by it; here a promise that is broken aborts.
  "-DDOCTEST_CONFIG_DISABLE",
];
/** What readers need of the core, but for headers. */
const VECTOR_PATH = "native/core/vector_path.cpp";
const LONGEST_INPUT = 4096;
/** Missing what it needs is no failure, and is said. */
const CANNOT = 4;

function targets(asked) {
  const all = readdirSync(join(root, "test/fuzz"))
    .filter((name) => name.endsWith("_fuzz.cpp"))
    .map((name) => name.replace("_fuzz.cpp", ""));
  const unknown = asked.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new Stop(`fuzz: no target "${unknown}", only ${all.join(", ")}`, 2);
  return asked.length === 0 ? all : asked;
}

function run(compiler, args) {
  const done = capture(compiler, args, { cwd: root });
  if (done.code !== 0)
    throw new Stop(`${done.stdout}${done.stderr}\nfuzz: ${compiler} ${args.join(" ")} failed`);
}

/** Objects of the readers, compiled once for all targets. */
function objects(compiler, folder) {
  return [...sources(["trace", "observe"]), VECTOR_PATH].map((path) => {
    const object = join(folder, `${path.replaceAll("/", "_")}.o`);
    run(compiler, [...FLAGS, "-fsanitize=fuzzer-no-link", "-c", path, "-o", object]);
    return object;
  });
}

function fuzz(compiler, target, parts, folder, seconds) {
  const program = join(folder, target);
  run(compiler, [...FLAGS, "-fsanitize=fuzzer", `test/fuzz/${target}_fuzz.cpp`, ...parts, "-o", program]);
  const found = join(folder, "corpus", target);
  mkdirSync(found, { recursive: true });
  const seeds = join(root, "test/fuzz/corpus", target);
  const limits = [
    `-max_total_time=${seconds}`,
    `-max_len=${LONGEST_INPUT}`,
    "-timeout=10",
    "-rss_limit_mb=2048",
  ];
  const words = join(root, `test/fuzz/${target}.dict`);
  if (existsSync(words)) limits.push(`-dict=${words}`);
  const done = capture(program, [...limits, `-artifact_prefix=${folder}/${target}-`, found, seeds]);
  const count = /Done (\d+) runs/.exec(done.stderr)?.[1] ?? "some";
  if (done.code === 0) say(`fuzz: ${target}: ${count} inputs in ${seconds} s, nothing found`);
  else say(`${done.stderr.slice(-6000)}\nfuzz: ${target}: a finding, see ${folder}`);
  return done.code === 0;
}

/** Fuzzes; returns `{ passed, failed }` in targets, or nothing if there is no libFuzzer here. */
export function fuzzAll(names, seconds) {
  const compiler = COMPILERS.find((name) => has(name));
  if (compiler === undefined) return undefined;
  const folder = join(root, "out/fuzz");
  mkdirSync(folder, { recursive: true });
  const parts = objects(compiler, folder);
  const results = targets(names).map((name) => fuzz(compiler, name, parts, folder, seconds));
  const passed = results.filter(Boolean).length;
  return { passed, failed: results.length - passed };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(() => {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { seconds: { type: "string", default: "10" } },
    });
    const counts = fuzzAll(positionals, Number(values.seconds));
    if (counts === undefined) {
      say(`fuzz: none of ${COMPILERS.join(", ")} is here (Debian: clang-19), so nothing was fuzzed`);
      return CANNOT;
    }
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
    return counts.failed === 0 ? 0 : 1;
  });
}
