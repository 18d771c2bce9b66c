/** Bit ranges of 64-bit words, written as the manuals write them: high first, both inclusive. */

export const bit = (n: number): bigint => 1n << BigInt(n);

/** Empty, so 0, where `low` is above `high`. */
export const bits = (high: number, low: number): bigint =>
  low > high ? 0n : (bit(high - low + 1) - 1n) << BigInt(low);

export const has = (word: bigint, mask: bigint): boolean => (word & mask) !== 0n;

export const PAGE_BYTES = 4096n;
export const PAGE_SHIFT = 12n;
