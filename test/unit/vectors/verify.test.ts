// The runner of vectors on a few of them, and on files that are wrong.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { renderVerification, verifyVectors } from "../../../lib/index.js";
import { root } from "../../support/source-graph.js";

const SAMPLE = join(root, "test/unit/vectors/sample.jsonl");
const lines = readFileSync(SAMPLE, "utf8").trimEnd().split("\n");
const folder = mkdtempSync(join(tmpdir(), "gpalias-vectors-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string | Uint8Array, name = "given.jsonl"): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const vector = (ops: unknown[], res: unknown[]) => JSON.stringify({ id: "v", ops, res });
const EMPTY = vector([["vm", 0]], [["0", 0]]);

test("every vector of the sample passes, plain and compressed", async () => {
  const counts = { cases: lines.length, passed: lines.length, failed: 0, skipped: 0, firstFailures: [] };
  expect(await verifyVectors([SAMPLE])).toEqual({ schemaVersion: 1, ...counts });
  const packed = file(gzipSync(readFileSync(SAMPLE)), "sample.gz");
  expect(await verifyVectors([packed, SAMPLE])).toMatchObject({ passed: 2 * lines.length, failed: 0 });
});

test("an answer that is changed in any place fails at that operation", async () => {
  for (const line of lines) {
    const { id, ops, res } = JSON.parse(line);
    const step = res.length - 1;
    const [outcome, flush, ...value] = res[step];
    const wrong = [...res.slice(0, step), [outcome, flush + 1, ...value]];
    const result = await verifyVectors([file(`${EMPTY}\n${JSON.stringify({ id, ops, res: wrong })}\n`)]);
    expect(result).toMatchObject({ cases: 2, passed: 1, failed: 1 });
    expect(result.firstFailures).toMatchObject([
      { line: 2, id, step, op: ops[step], expected: wrong[step], got: res[step] },
    ]);
  }
});

test("ten failures are kept, and the text says how many more there were", async () => {
  const bad = vector([["vm", 0]], [["EINVAL", 0]]);
  const result = await verifyVectors([file(Array(12).fill(bad).join("\n"))]);
  expect([result.failed, result.firstFailures.length]).toEqual([12, 10]);
  const text = renderVerification(result);
  expect(text).toContain("12 vectors: 0 passed, 12 failed");
  expect(text).toContain('expected    ["EINVAL",0]');
  expect(text).toContain("2 more failed");
});

test("vectors of no known kind are skipped, and empty lines are nothing", async () => {
  const others = [
    '{"id": "t", "kind": "another", "beats": []}',
    '{"id": "r", "kind": "x", "ops": [], "res": []}',
  ];
  const result = await verifyVectors([file(["", ...others, EMPTY, ""].join("\n"))]);
  expect(result).toMatchObject({ cases: 3, passed: 1, skipped: 2 });
});

test("a clear reads its prefix, then its fill, and a NULL buffer only where there is something to read", async () => {
  const slot = ["set", 0, 1, "0x1000", "0x80000", "0x200000000000"];
  const ops = [
    ...[["vm", 0], ["vcpu", 0], slot, ["poke", "0x1000"], ["poke", "0x41000"], ["peek", "0x200000000000"]],
    ...[
      ["clear", 0, "0x0", "0x80", 0, "02:00"],
      ["clear", 0, "0x0", "0x80", 0, "00:ff"],
    ],
    ...[
      ["clear", 0, "0x0", "0x80", 1, ":00"],
      ["clear", 0, "0x80", "0x0", 1, ":00"],
      ["get", 0, 0],
    ],
  ];
  const done = ["0", 0];
  const res = [
    done,
    done,
    done,
    done,
    done,
    ["0", 0, 2],
    done,
    ["0", 1],
    ["EFAULT", 0],
    done,
    ["0", 1, "01"],
  ];
  expect((await verifyVectors([file(vector(ops, res))])).firstFailures).toEqual([]);
});

describe("roots", () => {
  const root = (ops: unknown[], res: unknown[]) => JSON.stringify({ id: "r", kind: "mix", ops, res });
  const slot = ["slot", 0, "0x0", "0x100000", 0, "0x0"];
  const nothing = [0, 0, 0, 0];

  test("are loaded by a prefault, and a flag comes before everything", async () => {
    const load = ["prefault", "0x0", "0x1000", "0x0"];
    const ops = [["vm"], load, slot, load, load, ["prefault", "0x0", "0x1000", "0x1"]];
    const outcomes = ["0", "ENOSPC", "0", "EOPNOTSUPP", "EOPNOTSUPP", "EINVAL"];
    const res = outcomes.map((outcome, at) => [outcome, at === 3 ? [4, 0, 0, 0] : nothing]);
    expect((await verifyVectors([file(root(ops, res))])).firstFailures).toEqual([]);
    res[3] = ["EOPNOTSUPP", [3, 0, 0, 0]];
    const { firstFailures } = await verifyVectors([file(root(ops, res))]);
    expect(firstFailures).toMatchObject([{ id: "r", step: 3, op: load, got: ["EOPNOTSUPP", [4, 0, 0, 0]] }]);
  });

  test.each([
    ["three counts", [["vm"]], [["0", [0, 0, 0]]], "four counts"],
    [
      "a vCPU too far",
      [["vm"], ["vcpu", 2]],
      [
        ["0", nothing],
        ["0", nothing],
      ],
      "a vCPU up to 1 in ops[1]",
    ],
    [
      "a vCPU of the VM before",
      [["vm"], ["vcpu", 1], ["vm"], ["vcpu", 2]],
      Array(4).fill(["0", nothing]),
      "a vCPU up to 1 in ops[3]",
    ],
    ["a width of nine bits", [["vm"], ["cpuid", 256]], Array(2).fill(["0", nothing]), 'of "cpuid"'],
  ])("with %s are no vector", async (_, ops, res, expected) => {
    await expect(verifyVectors([file(root(ops, res))])).rejects.toThrow(expected);
  });
});

test("an abort between two vectors says how many were done", async () => {
  const abort = new AbortController();
  const onProgress = (cases: number) => void (cases === 2 && abort.abort());
  const running = verifyVectors([SAMPLE], { signal: abort.signal, onProgress });
  await expect(running).rejects.toMatchObject({ code: "ERR_ABORTED", values: { applied: 2 } });
});

describe("a line that is no vector is refused with its number", () => {
  test.each([
    ["{", "a JSON object"],
    ["[]", "a JSON object"],
    ['{"ops": []}', 'a string "id"'],
    ['{"id": "a", "ops": [], "res": []}', 'a list "ops" that is not empty'],
    [vector([["vm", 0]], []), 'a list "res" with an answer an op'],
    [vector([["vcpu", 0]], [["0", 0]]), 'a "vm" as the first op'],
    [vector([["toString"]], [["0", 0]]), "a known op in ops[0]"],
    [
      vector(
        [["vm", 0], "get"],
        [
          ["0", 0],
          ["0", 0],
        ],
      ),
      "a known op in ops[1]",
    ],
    [vector([["vm", -1]], [["0", 0]]), 'the arguments of "vm" in ops[0]'],
    [
      vector(
        [
          ["vm", 0],
          ["poke", "12"],
        ],
        [
          ["0", 0],
          ["0", 0],
        ],
      ),
      'the arguments of "poke" in ops[1]',
    ],
    [
      vector(
        [
          ["vm", 0],
          ["get", 2 ** 32, 0],
        ],
        [
          ["0", 0],
          ["0", 0],
        ],
      ),
      'the arguments of "get" in ops[1]',
    ],
    [vector([["vm", 0]], [["0", -1]]), "an outcome, a number of flushes and at most one value in res[0]"],
  ])("%s", async (line, expected) => {
    const path = file(`${EMPTY}\n${line}\n`);
    const message = `${path}: line 2: expected ${expected}`;
    await expect(verifyVectors([path])).rejects.toMatchObject({ code: "ERR_TRACE", message });
  });

  test("so is a file that is no text, or damaged", async () => {
    await expect(verifyVectors([file(new Uint8Array([0xff, 0xfe]))])).rejects.toThrow("UTF-8");
    const cut = gzipSync(readFileSync(SAMPLE)).subarray(0, 100);
    await expect(verifyVectors([file(cut, "cut.gz")])).rejects.toMatchObject({ code: "ERR_TRACE" });
  });
});
