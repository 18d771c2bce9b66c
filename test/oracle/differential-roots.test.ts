/**
 * The engine's shadow roots against the reference, over random VMs.
 * GPALIAS_SEED and GPALIAS_RUNS choose others.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { verifyVectors } from "../../lib/index.js";
import { Script } from "./roots/script.js";
import { type RootsAnswer, RootsVm } from "./vectors/mmuroots-vectors.js";

const SEED = Number(process.env["GPALIAS_SEED"] ?? 1);
const RUNS = Number(process.env["GPALIAS_RUNS"] ?? 100);
const LONG = { timeout: 10 * 60_000 };

const folder = mkdtempSync(join(tmpdir(), "gpalias-roots-"));
afterAll(() => rmSync(folder, { recursive: true }));

const vmOf = (seed: number) => {
  const { ops } = new Script(seed);
  const reference = new RootsVm();
  return { id: `seed ${seed}`, kind: "mix", ops, res: ops.map((op) => reference.answer(op)) };
};

const grown = (answers: readonly RootsAnswer[], at: 0 | 1 | 2 | 3): number =>
  answers.reduce((sum, [, counts]) => sum + counts[at], 0);

test(`engine and reference agree on roots in ${RUNS} VMs from seed ${SEED} on`, LONG, async () => {
  const vms = Array.from({ length: RUNS }, (_, i) => vmOf(SEED + i));
  const file = join(folder, "random.jsonl");
  writeFileSync(file, vms.map((vm) => JSON.stringify(vm)).join("\n"));
  const { passed, firstFailures } = await verifyVectors([file]);
  expect(firstFailures).toEqual([]);
  expect(passed).toBe(RUNS);
});

test("the random VMs make, zap, flush and recycle pages, and run out of them", () => {
  const answers = Array.from({ length: 40 }, (_, i) => vmOf(i + 1)).flatMap(({ res }) => res);
  for (const at of [0, 1, 2, 3] as const) expect(grown(answers, at)).toBeGreaterThan(50);
  const outcomes = new Set(answers.map(([outcome]) => outcome));
  expect([...outcomes].sort()).toEqual(["0", "EINVAL", "ENOSPC", "EOPNOTSUPP"]);
});
