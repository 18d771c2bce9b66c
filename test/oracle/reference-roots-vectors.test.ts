/** The reference of shadow roots against what a real kernel's statistics showed: 720 VMs. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { type RootsVector, RootsVm } from "./vectors/mmuroots-vectors.js";

const file = new URL("../vectors/mmuroots.jsonl.gz", import.meta.url);

const vectors = (): RootsVector[] =>
  gunzipSync(readFileSync(file))
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as RootsVector);

/** Where the reference answers otherwise, first. */
function mismatch({ id, ops, res }: RootsVector): string | undefined {
  const vm = new RootsVm();
  for (const [step, op] of ops.entries()) {
    const [model, kernel] = [JSON.stringify(vm.answer(op)), JSON.stringify(res[step])];
    if (model !== kernel) return `${id}, op ${step} ${JSON.stringify(op)}: model ${model}, kernel ${kernel}`;
  }
  return undefined;
}

test("the reference loads, drops and recycles roots in 720 recorded VMs as the kernel did", () => {
  const all = vectors();
  expect(all.flatMap((vector) => mismatch(vector) ?? [])).toEqual([]);
  expect(all).toHaveLength(720);
});
