/**
 * The model's memslots and dirty logs against what a real kernel answered:
 * three thousand VMs, every errno, flush, bitmap, ring and byte of memory.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { findVectors } from "../support/vectors.js";
import { type Vector, VectorVm } from "./vectors/memslot-vectors.js";

const LONG = { timeout: 10 * 60_000 };
const file = findVectors("memslots.jsonl.gz");
if (file === undefined)
  console.warn("SKIPPED: no memslots.jsonl.gz beside the checkout, nor in GPALIAS_VECTORS");

function vectors(path: string): Vector[] {
  const lines = gunzipSync(readFileSync(path)).toString().trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Vector);
}

/** Where the model answers otherwise, first. */
function mismatch({ id, ops, res }: Vector): string | undefined {
  const vm = new VectorVm();
  for (const [i, op] of ops.entries()) {
    const [got, expected] = [JSON.stringify(vm.answer(op)), JSON.stringify(res[i])];
    if (got !== expected) return `${id}, ${i} ${JSON.stringify(op)}: model ${got}, kernel ${expected}`;
  }
  return undefined;
}

test.skipIf(file === undefined)("the model answers 3,000 recorded VMs as the kernel did", LONG, () => {
  const all = vectors(file ?? "");
  expect(all.flatMap((vector) => mismatch(vector) ?? [])).toEqual([]);
  expect(all).toHaveLength(3000);
});
