/**
 * Where every random choice of the tests comes from: one seed, printed by
 * whatever fails, and set with GPALIAS_SEED to see it again. Fixed otherwise,
 * so that a test that passed will pass.
 */

const DEFAULT_SEED = 0x6170_6c61;

/** The seed of this run: an unsigned 31-bit number. */
export function runSeed(): number {
  const given = process.env.GPALIAS_SEED;
  if (given === undefined) return DEFAULT_SEED;
  const seed = Number(given);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 31)
    throw new Error(`GPALIAS_SEED is ${given}, expected an integer from 0 to 2^31 - 1`);
  return seed;
}

/** Whether the long variants of the random tests run. */
export const isLongRun = process.env.GPALIAS_LONG !== undefined;

export interface Random {
  /** An integer in [0, below). */
  below(limit: number): number;
  pick<T>(items: readonly T[]): T;
  /** True once in `one` times, on average. */
  once(one: number): boolean;
}

/** A small generator (mulberry32): 32 bits of state are plenty for tests. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
    once: (one) => below(one) === 0,
  };
}
