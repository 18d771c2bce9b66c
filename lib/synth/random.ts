/**
 * Every choice of a workload: 32 bits at a time from a seed.
 *
 * The same seed gives the same numbers on every machine and in every version:
 * recorded hashes of workloads rest on it. The generator is sfc32 (Doty-Humphrey,
 * PractRand), which is fast where there are only 32-bit integers.
 */
const WORD = 2 ** 32;
/** Until the seed has reached every bit; its author's number. */
const WARM_UP = 12;

export class Random {
  #a: number;
  #b: number;
  #c = 0x9e37_79b9 | 0;
  #counter = 1;

  /** @param seed an integer from 0 to 2^53 - 1 */
  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / WORD) | 0;
    for (let round = 0; round < WARM_UP; round++) this.bits();
  }

  /** 32 random bits, as a number from 0 to 2^32 - 1. */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** An integer from 0 to `limit` - 1, for a limit up to 2^32; uneven by less than 2^-20 for a limit up to 4096. */
  below(limit: number): number {
    return Math.floor((this.bits() / WORD) * limit);
  }

  /** True in a share of cases; 1 is always and asks for no number. */
  chance(share: number): boolean {
    return share >= 1 || this.bits() < share * WORD;
  }
}
