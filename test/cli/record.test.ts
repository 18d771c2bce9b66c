import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { recordingLines } from "../../lib/index.js";
import { gpalias } from "./run-cli.js";

test("record prints the library's lines and runs none of them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "gpalias-record-"));
  const env = { PATH: join(folder, "empty") };
  const { status, stdout, stderr } = await gpalias(["record"], { cwd: folder, env });
  expect([status, stderr, readdirSync(folder)]).toEqual([0, "", []]);
  expect(stdout).toBe(await recordingLines());
  const one = await gpalias(["record", "--tool", "perf", "--vm", "7", "--buffer", "8"]);
  expect(one.stdout).toBe(await recordingLines({ tool: "perf", vm: 7, bufferMiB: 8 }));
  rmSync(folder, { recursive: true });
});

test.each([
  [["--tool", "strace"], "bpftrace, perf, trace-cmd, tracefs"],
  [["--vm", "qemu"], "expected an integer from 1"],
  [["--buffer", "0"], "expected an integer from 1"],
])("record %j exits 2", async (args, sentence) => {
  const { status, stdout, stderr } = await gpalias(["record", ...args]);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(sentence);
});
