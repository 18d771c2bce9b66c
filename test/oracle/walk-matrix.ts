/**
 * The matrix of guest walks: bits of entries, kinds of access, control bits, levels and modes, a seeded enumeration
 * of as many cases as one likes, biased to the edges of every rule. Who walks is a function of a batch.
 */
import { type Answers, type Batch, CASES } from "./walk-matrix/batch.js";
import { answersByTables } from "./walk-matrix/by-tables.js";
import { difference } from "./walk-matrix/compare.js";
import { batchOf } from "./walk-matrix/generate.js";
import { plainAnswers } from "./walk-matrix/plain.js";
import { MODES } from "./walk-matrix/settings.js";

export type Walker = (batch: Batch) => Answers;

export interface Extent {
  readonly seed: number;
  /** Rounded up to whole batches of 512. */
  readonly cases: number;
  /** The plain reference walker, slow and obvious, answers one batch in so many; tables answer the others. */
  readonly plainOneIn?: number;
}

export interface Difference {
  readonly compared: number;
  /** Everything about the first case that differs. */
  readonly first: string | undefined;
}

const PLAIN_ONE_IN = 16;

export function compareMatrix(
  walker: Walker,
  { seed, cases, plainOneIn = PLAIN_ONE_IN }: Extent,
): Difference {
  const batches = Math.ceil(cases / CASES);
  for (let number = 0; number < batches; ++number) {
    const batch = batchOf(seed, number);
    // Modes take turns with the number, so that a multiple of theirs would leave some to tables alone.
    const isPlain = Math.floor(number / MODES.length) % plainOneIn === 0;
    const expected = isPlain ? plainAnswers(batch) : answersByTables(batch);
    const first = difference(batch, expected, walker(batch));
    if (first !== undefined) return { compared: number * CASES, first: `seed ${seed}, ${first}` };
  }
  return { compared: batches * CASES, first: undefined };
}
