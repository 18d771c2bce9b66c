import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";
import { gpalias, gpaliasJson } from "./run-cli.js";

const ALL = join(root, "test/vectors/memslots.jsonl.gz");
const SAMPLE = "test/unit/vectors/sample.jsonl";
const LONG = { timeout: 10 * 60_000 };

const FAILING = '{"id": "f", "ops": [["vm", 0]], "res": [["EINVAL", 0]]}\n';
const OTHER = '{"id": "t", "kind": "another", "beats": []}\n';

const folder = mkdtempSync(join(tmpdir(), "gpalias-verify-"));
afterAll(() => rmSync(folder, { recursive: true }));

function verify(content: string) {
  const path = join(folder, "given.jsonl");
  writeFileSync(path, content);
  return gpalias(["verify", "vectors", path]);
}

describe("verify vectors", () => {
  test("the engine answers 3,000 recorded VMs as the kernel did", LONG, async () => {
    expect(await gpaliasJson(["verify", "vectors", ALL])).toEqual({
      schemaVersion: 1,
      cases: 3000,
      passed: 3000,
      failed: 0,
      skipped: 0,
      firstFailures: [],
    });
  });

  test("the engine translates for 2,400 recorded VMs as the kernel did", LONG, async () => {
    const file = join(root, "test/vectors/translate.jsonl.gz");
    expect(await gpaliasJson(["verify", "vectors", file])).toMatchObject({
      cases: 2400,
      passed: 2400,
      skipped: 0,
    });
  });

  test("the engine loads and drops roots in 720 recorded VMs as the kernel did", LONG, async () => {
    const file = join(root, "test/vectors/mmuroots.jsonl.gz");
    expect(await gpaliasJson(["verify", "vectors", file])).toMatchObject({
      cases: 720,
      passed: 720,
      skipped: 0,
    });
  });

  test.each([
    ["a step without addresses", '{"id": "t", "steps": [{"exp": {}}]}', '"gvas" and "exp" in steps[0]'],
    ["an unknown part", '{"id": "t", "steps": [{"gvas": [], "exp": {}, "msrs": []}]}', 'got "msrs"'],
    [
      "a slot of three columns",
      '{"id": "t", "steps": [{"gvas": [], "exp": {}, "slots": [[0, "0x0", "0x1000"]]}]}',
      '"slots"',
    ],
    ["no steps", '{"id": "t", "steps": []}', '"steps" that is not empty'],
  ])("%s is no vector of translations", async (_, line, expected) => {
    const { status, stderr } = await verify(`${line}\n`);
    expect([status, stderr]).toEqual([3, expect.stringContaining(expected)]);
  });

  test("a translation that differs is shown by the part of the answer that does", async () => {
    const { status, stdout } = await verify(
      '{"id": "t", "steps": [{"gvas": ["0x5000"], "exp": {"pa": [null], "mem": []}}]}\n',
    );
    expect(status).toBe(1);
    expect(stdout).toContain('["pa",');
  });

  test("several files are one verification, and text says what passed", async () => {
    const { status, stdout, stderr } = await gpalias(["verify", "vectors", SAMPLE, SAMPLE]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^14 vectors: 14 passed\n$/);
  });

  test("a failure exits 1 and is printed in full, others being skipped", async () => {
    const { status, stdout } = await verify(OTHER + FAILING);
    expect(status).toBe(1);
    expect(stdout).toContain("2 vectors: 0 passed, 1 failed, 1 skipped");
    for (const part of ["f, op 0", "line 2", '["vm",0]', '["EINVAL",0]', '["0",0]']) {
      expect(stdout).toContain(part);
    }
  });

  test.each([
    ["nothing but other kinds", OTHER, "no vector is of a known kind"],
    ["an empty file", "", "no file has a vector"],
  ])("%s exits 4 and says so", async (_, content, reason) => {
    const { status, stderr } = await verify(content);
    expect([status, stderr]).toEqual([4, `gpalias: nothing was verified: ${reason} (exit 4)\n`]);
  });

  test("a line that is no vector exits 3 with one sentence and its number", async () => {
    const { status, stdout, stderr } = await verify(`${FAILING}{\n`);
    expect([status, stdout]).toEqual([3, ""]);
    expect(stderr).toMatch(/^gpalias: .*given\.jsonl: line 2: expected a JSON object\n$/);
  });

  test("a file that is not there exits 3, a subject that is none exits 2", async () => {
    const absent = await gpalias(["verify", "vectors", "/no/such/file"]);
    expect([absent.status, absent.stderr]).toEqual([3, expect.stringContaining("/no/such/file")]);
    const subject = await gpalias(["verify", "traces", SAMPLE]);
    expect([subject.status, subject.stderr]).toEqual([
      2,
      expect.stringContaining('"vectors", "trace" and "kvm", got "traces"'),
    ]);
  });
});
