/** The engine's walk of a guest's tables against the reference, over the matrix of entries, accesses and registers. */
import { afterAll, expect, test } from "vitest";
import { isLongRun, runSeed } from "../support/random.js";
import { MatrixEngine } from "./guest-walk/matrix-engine.js";
import { compareMatrix } from "./walk-matrix.js";

const LONG = { timeout: 60 * 60_000 };
const CASES = isLongRun ? 10_000_000 : 50_000;
const engine = new MatrixEngine();
afterAll(() => engine.close());

const seed = runSeed();

test("the engine walks as the reference does, case by case (ten million with GPALIAS_LONG)", LONG, () => {
  expect(compareMatrix(engine.walker, { seed, cases: CASES }).first).toBeUndefined();
});

test("many walks at once come to what each alone comes to (ten million with GPALIAS_LONG)", LONG, () => {
  expect(compareMatrix(engine.batchWalker, { seed: seed + 1, cases: CASES }).first).toBeUndefined();
});

test("so do thousands at once, by what the first of them have learnt", LONG, () => {
  const cases = CASES / 10;
  expect(compareMatrix(engine.wideBatchWalker, { seed: seed + 2, cases }).first).toBeUndefined();
});
