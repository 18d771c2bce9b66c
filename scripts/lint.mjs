// Lint and format, both languages. `--fix` rewrites what can be rewritten.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { reportLongFunctions } from "./lint-functions.mjs";
import { has, main, root, run, say } from "./process.mjs";

const fix = process.argv.includes("--fix");

function biome() {
  return run(process.execPath, [
    join(root, "node_modules/@biomejs/biome/bin/biome"),
    "check",
    "--max-diagnostics=50",
    ...(fix ? ["--write"] : ["--error-on-warnings"]),
  ]);
}

function nativeFiles() {
  return ["native", "test/native", "bench/native"]
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, name)),
    )
    .filter((path) => /\.(cpp|hpp)$/.test(path));
}

function clangFormat() {
  if (!has("clang-format-19")) {
    say("lint: SKIPPED C++ format: clang-format-19 is not installed");
    return 0;
  }
  const mode = fix ? ["-i"] : ["--dry-run", "--Werror"];
  return run("clang-format-19", [...mode, ...nativeFiles()]);
}

await main(() => {
  const codes = [biome(), clangFormat()];
  reportLongFunctions();
  return codes.every((code) => code === 0) ? 0 : 1;
});
