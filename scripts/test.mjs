// All that `npm test` runs, and one count at the end: lint, types, vitest, the
// native tests. Everything runs even after a failure. A part without tests of
// its own counts as one failure when it fails.
//
// With arguments only vitest runs, with them: npm test -- test/unit
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { nativeTests } from "./native.mjs";
import { main, root, run, say } from "./process.mjs";

const node = (...args) => run(process.execPath, args);
const asCount = (code) => ({ passed: 0, failed: code === 0 ? 0 : 1 });

function types() {
  return asCount(node("node_modules/typescript/bin/tsc", "--noEmit", "-p", "tsconfig.test.json"));
}

function vitest(args) {
  const report = join(root, "out/vitest.json");
  rmSync(report, { force: true });
  mkdirSync(join(root, "out"), { recursive: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const code = node("node_modules/vitest/vitest.mjs", "run", ...reporters, ...args);
  let counts = { passed: 0, failed: 0, skipped: 0 };
  try {
    const result = JSON.parse(readFileSync(report, "utf8"));
    counts = {
      passed: result.numPassedTests,
      failed: result.numFailedTests,
      skipped: result.numPendingTests + result.numTodoTests,
    };
  } catch {
    // Vitest died before it could report; its exit code says so below.
  }
  // A file that does not load fails the run without a failed test.
  const unexplained = code !== 0 && counts.failed === 0;
  const empty = counts.passed + counts.failed === 0;
  return { ...counts, failed: counts.failed + (unexplained || empty ? 1 : 0) };
}

function native() {
  try {
    return nativeTests({ headers: true });
  } catch (error) {
    say(error.message);
    return { passed: 0, failed: 1 };
  }
}

await main(() => {
  const args = process.argv.slice(2);
  const parts =
    args.length > 0
      ? { vitest: () => vitest(args) }
      : { lint: () => asCount(node("scripts/lint.mjs")), types, vitest: () => vitest([]), native };
  const total = { passed: 0, failed: 0 };
  const lines = [];
  for (const [name, part] of Object.entries(parts)) {
    say(`\n== ${name}`);
    const counts = part();
    total.passed += counts.passed;
    total.failed += counts.failed;
    const skipped = counts.skipped ? `, ${counts.skipped} skipped` : "";
    const said =
      counts.passed === 0 && counts.failed === 0 ? "ok" : `${counts.passed} passed, ${counts.failed} failed`;
    lines.push(`  ${name.padEnd(8)}${said}${skipped}`);
  }
  say(`\n${lines.join("\n")}`);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 ? 0 : 1;
});
