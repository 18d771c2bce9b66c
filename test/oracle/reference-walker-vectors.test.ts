/**
 * The reference walker against what a real kernel answered to KVM_TRANSLATE:
 * 2,400 VMs, every address, every Accessed bit, every page marked dirty.
 */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { type TranslateVector, TranslateVm } from "./vectors/translate-vectors.js";

const LONG = { timeout: 10 * 60_000 };
const file = new URL("../vectors/translate.jsonl.gz", import.meta.url);

const vectors = (): TranslateVector[] =>
  gunzipSync(readFileSync(file))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as TranslateVector);

/** Where the model answers otherwise, first. */
function mismatch({ id, steps }: TranslateVector): string | undefined {
  const vm = new TranslateVm();
  for (const [i, step] of steps.entries()) {
    const got = vm.answer(step);
    for (const key of new Set([...Object.keys(got), ...Object.keys(step.exp)]) as Set<keyof typeof got>) {
      const [model, kernel] = [JSON.stringify(got[key]), JSON.stringify(step.exp[key])];
      if (model !== kernel) return `${id}, step ${i}, ${key}: model ${model}, kernel ${kernel}`;
    }
  }
  return undefined;
}

test("the walker answers 2,400 recorded VMs as the kernel did", LONG, () => {
  const all = vectors();
  expect(all.flatMap((vector) => mismatch(vector) ?? [])).toEqual([]);
  expect(all).toHaveLength(2400);
});
