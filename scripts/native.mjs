// The CMake build: native tests and native benches.
//
//   node scripts/native.mjs test [--headers] [--sanitize address,undefined] [--werror] [-- doctest options]
//   node scripts/native.mjs bench [google-benchmark options]
//
// --headers compiles each header by itself too, which takes longer than the tests after a change to a central one.
// A sanitized build keeps assertions; the plain one is compiled as users get it.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { capture, has, main, root, run, Stop, say } from "./process.mjs";

function configure({ sanitize = "", werror = false }) {
  const build = join(root, "out", sanitize ? `native-${sanitize.replaceAll(",", "-")}` : "native");
  // A generator chosen once cannot be changed in the same folder.
  const generator = !existsSync(join(build, "CMakeCache.txt")) && has("ninja") ? ["-G", "Ninja"] : [];
  const settings = [
    `-DCMAKE_BUILD_TYPE=${sanitize ? "Debug" : "Release"}`,
    `-DMMU_SANITIZE=${sanitize}`,
    `-DMMU_WERROR=${werror ? "ON" : "OFF"}`,
  ];
  const done = capture("cmake", ["-S", root, "-B", build, ...generator, ...settings]);
  if (done.code !== 0) throw new Stop(`${done.stdout}${done.stderr}native: cmake could not configure`);
  if (done.stderr !== "") say(done.stderr);
  return build;
}

function make(build, targets) {
  const parallel = String(availableParallelism());
  const done = capture("cmake", ["--build", build, "--parallel", parallel, "--target", ...targets]);
  // Ninja reports each step; only a failure, or a warning, is of interest.
  const output = done.stdout + done.stderr;
  if (done.code !== 0) throw new Stop(`${output}\nnative: ${targets.join(" ")} did not build`);
  if (output.includes("warning:")) say(output);
}

// A sanitizer that was asked for but not linked finds nothing and says nothing.
function assertSanitized(binary, sanitize) {
  const marks = { address: "__asan_init", undefined: "__ubsan_handle", thread: "__tsan_init" };
  const symbols = capture("nm", ["-D", binary]).stdout;
  for (const name of sanitize.split(",").filter(Boolean)) {
    if (!symbols.includes(marks[name] ?? name))
      throw new Stop(`native: ${binary} lacks the ${name} sanitizer`);
    say(`native: ${marks[name]} is linked`);
  }
}

/** Builds and runs the native tests. Returns `{ passed, failed }` in test cases. */
export function nativeTests({ sanitize = "", werror = false, headers = false, args = [] } = {}) {
  const build = configure({ sanitize, werror });
  make(build, ["native-tests", ...(headers ? ["header-units"] : [])]);
  const binary = join(build, "native-tests");
  assertSanitized(binary, sanitize);
  const env = { ...process.env, UBSAN_OPTIONS: "print_stacktrace=1" };
  const done = capture(binary, ["--no-colors=true", ...args], { env });
  process.stderr.write(done.stdout + done.stderr);
  const counts = /test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed/.exec(done.stdout);
  const passed = Number(counts?.[2] ?? 0);
  const failed = Number(counts?.[3] ?? 0);
  // A crash leaves no count, and a sanitizer may stop a process whose tests passed.
  const crashed = done.code !== 0 && failed === 0;
  return { passed, failed: failed + (crashed || passed + failed === 0 ? 1 : 0) };
}

/** Builds one program as users get it, and says where it is. */
export function buildNative(target) {
  const build = configure({});
  make(build, [target]);
  return join(build, target);
}

function bench(args) {
  return run(buildNative("native-bench"), args, { stdio: "inherit" });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(() => {
    const [command, ...rest] = process.argv.slice(2);
    if (command === "bench") return bench(rest);
    if (command !== "test") throw new Stop("usage: native.mjs test|bench [options]", 2);
    const { values, positionals: args } = parseArgs({
      args: rest,
      allowPositionals: true,
      options: { sanitize: { type: "string" }, werror: { type: "boolean" }, headers: { type: "boolean" } },
    });
    const counts = nativeTests({ ...values, args });
    process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
    return counts.failed === 0 ? 0 : 1;
  });
}
