/**
 * Numbers that follow from a seed.
 *
 * Each script has a stream of its own, so that one is the same whatever came
 * before it. SplitMix's mixer in 32 bits (Steele, Lea and Flood, 2014).
 */
const GOLDEN = 0x9e37_79b9;
const WORD = 2 ** 32;

export class Random {
  #state: number;

  constructor(seed: number, stream: number) {
    this.#state = mixed((mixed(seed) + stream) >>> 0);
  }

  /** An integer in [0, end). */
  below(end: number): number {
    this.#state = (this.#state + GOLDEN) >>> 0;
    return Math.floor((mixed(this.#state) / WORD) * end);
  }

  /** In [low, high], both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  isOneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new RangeError("nothing to pick from");
    return from[this.below(from.length)] as T;
  }

  /** One of the values, the likelier the larger its weight. */
  weighted<T>(from: readonly (readonly [weight: number, value: T])[]): T {
    let rest = this.below(from.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, value] of from) {
      if (rest < weight) return value;
      rest -= weight;
    }
    throw new RangeError("nothing to pick from");
  }
}

function mixed(word: number): number {
  let z = word >>> 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0_aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a_2d97);
  return (z ^ (z >>> 15)) >>> 0;
}
