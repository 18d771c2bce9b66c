// `gpalias verify trace` as its user sees it.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";
import { changed, FIRST, fault, trace } from "../unit/observe/lines.js";
import { BOOT, gpalias, gpaliasJson } from "./run-cli.js";

const schema = JSON.parse(readFileSync(join(root, "docs/schema/verify-trace.schema.json"), "utf8"));
const isValid = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema);

const folder = mkdtempSync(join(tmpdir(), "gpalias-verify-trace-"));
afterAll(() => rmSync(folder, { recursive: true }));

const zap = changed("3", 1, "600000000077b77", "0");
const CLEAN = trace(...FIRST);
const TWICE = trace(...FIRST, zap, zap);

function file(text: string | Uint8Array): string {
  const path = join(folder, "given.txt");
  writeFileSync(path, text);
  return path;
}
const verify = (text: string, ...args: string[]) => gpalias(["verify", "trace", file(text), ...args]);

async function documentOf(text: string) {
  const { stdout } = await verify(text, "--json");
  const document = JSON.parse(stdout);
  isValid(document);
  expect(isValid.errors).toBeNull();
  return document;
}

describe("verify trace", () => {
  test("finds nothing in a fault that fits, and says what it judged by", async () => {
    const { status, stdout, stderr } = await verify(CLEAN);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("nothing suspicious");
    expect(stdout).toMatch(/model {7}no difference: 7 lines agree, in 1 whole steps/);
    expect(stdout).toContain("not checked owed-flush: on bare metal");
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("ends with 1 where a zap is printed twice, with the lines and a sentence", async () => {
    const { status, stdout, stderr } = await verify(TWICE);
    expect(status).toBe(1);
    expect(stderr).toContain("suspicious, first line 10 (exit 1)");
    expect(stdout).toContain("line 10: error (old-entry, high confidence)");
    expect(stdout).toMatch(/^ {2}> {6}10 .*old_spte 600000000077b77 new_spte 0$/m);
  });

  test("prints one document that obeys its schema, with findings and without", async () => {
    expect((await documentOf(CLEAN)).model).toMatchObject({ difference: null, agreed: 7 });
    const document = await documentOf(TWICE);
    expect(document.findings[0]).toMatchObject({ check: "old-entry", line: 10 });
    expect((await documentOf(trace("kvm_fpu: load", "kvm_entry: vcpu x"))).malformed).toHaveProperty(
      "kvm_entry",
    );
    Object.assign(document, { extra: 1 });
    expect(isValid(document)).toBe(false);
  });

  test("prints the example of docs/observed.md", async () => {
    const page = readFileSync(join(root, "docs/observed.md"), "utf8");
    const [, text = "", shown = ""] =
      /```text\n([^$]*?)```\n\n```text\n\$ gpalias verify trace guest.trace.txt\n([\s\S]*?)```/.exec(page) ??
      [];
    writeFileSync(join(folder, "guest.trace.txt"), text);
    const circumstances = { cwd: folder, env: { COLUMNS: "100" } };
    const { stdout } = await gpalias(["verify", "trace", "guest.trace.txt"], circumstances);
    expect(stdout).toBe(shown);
  });

  test("reads stdin, and gzip by its content", async () => {
    const stdin = await gpaliasJson(["verify", "trace", "-"], { stdin: CLEAN });
    expect(stdin).toMatchObject({ source: "stdin", lines: 8 });
    const { status } = await gpalias(["verify", "trace", file(gzipSync(CLEAN))]);
    expect(status).toBe(0);
  });

  test("reads a recorder's own file through its program, and says which one is missing", async () => {
    const dat = join(folder, "trace.dat");
    writeFileSync(dat, Buffer.concat([Buffer.from("\x17\x08\x44tracing6\0", "latin1"), Buffer.alloc(100)]));
    const without = await gpalias(["verify", "trace", dat], { env: { PATH: folder } });
    expect([without.status, without.stderr]).toEqual([4, expect.stringContaining("trace-cmd")]);
    const program = join(folder, "trace-cmd");
    writeFileSync(program, `#!/bin/sh\n/bin/cat ${file(TWICE)}\n`);
    chmodSync(program, 0o755);
    const { status, stdout } = await gpalias(["verify", "trace", dat], { env: { PATH: folder } });
    expect(status).toBe(1);
    expect(stdout).toContain("line 10: error (old-entry");
  });

  test("--no-model and --host decide what the model does", async () => {
    const none = await gpaliasJson(["verify", "trace", file(CLEAN), "--no-model"]);
    expect(none).toMatchObject({ model: null, noModel: "it was not to be asked" });
    const other = await verify(CLEAN, "--host", "adBits=off,maxphyaddr=40");
    expect(other.status).toBe(1);
    expect(other.stdout).toContain("adBits false (given)");
  });

  test("--fail-on decides what ends with 1", async () => {
    const again = trace(...FIRST, fault(0x3000));
    const args = ["--no-model"];
    expect((await verify(again, ...args)).status).toBe(0);
    expect((await verify(again, ...args, "--fail-on", "note")).status).toBe(1);
    expect((await verify(TWICE, ...args, "--fail-on", "error")).status).toBe(1);
  });

  test("events that were lost end with 3, and nothing is concluded across them", async () => {
    const { status, stderr, stdout } = await verify(trace(...FIRST, zap, "[LOST 7 EVENTS]", zap));
    expect([status, stderr]).toEqual([
      3,
      "gpalias: the recorder lost 7 events; what they changed is not known (exit 3)\n",
    ]);
    expect(stdout).toContain("7 events that the recorder dropped");
  });

  test("what no check can judge ends with 4", async () => {
    const { status, stderr } = await verify(trace("kvm_entry: vcpu 0, rip 0x1"));
    expect(status).toBe(4);
    expect(stderr).toContain("nothing was verified");
  });

  test.each([
    [["verify", "trace", BOOT], 3, "expected the text of tracepoints"],
    [["verify", "trace", "/no/such/file"], 3, "no such file or directory"],
    [["verify", "trace"], 2, "verify trace needs a file"],
    [["verify", "trace", "a", "b"], 2, 'verify trace takes one file, got "b" too'],
    [["verify", "trace", "a", "--seed", "3"], 2, "--seed is an option of verify kvm"],
    [["verify", "vectors", "a", "--alias", "tdx47"], 2, "--alias is an option of verify trace"],
    [["verify", "kvm", "--no-model"], 2, "--no-model is an option of verify trace"],
    [["verify", "trace", "a", "--host", "pml=maybe"], 2, "expected pml to be on or off"],
    [["verify", "trace", "a", "--host", "speed=on"], 2, 'got "speed"'],
    [["verify", "trace", "a", "--host", "maxphyaddr=90"], 2, "from 36 to 52"],
    [["verify", "trace", "a", "--fail-on", "doubt"], 2, "note, warning, error"],
  ])("%j ends with %d and says %s", async (args, wanted, says) => {
    const { status, stderr } = await gpalias(args);
    expect(status).toBe(wanted);
    expect(stderr).toContain(says);
  });
});
