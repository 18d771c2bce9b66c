/**
 * SplitMix64's output function (Steele, Lea and Flood, OOPSLA 2014): 64 bits
 * in, 64 well-mixed bits out.
 *
 * In 32-bit halves: a bigint costs a hundred times more than the hash. It
 * writes into an array of the caller's, as an object per hash would be garbage.
 */
import type { Seed } from "./arguments.js";

const WORD = 2 ** 32;
/** 2^64 divided by the golden ratio. */
const GAMMA = { low: 0x7f4a_7c15, high: 0x9e37_79b9 };
const MIX_1 = { low: 0x1ce4_e5b9, high: 0xbf58_476d };
const MIX_2 = { low: 0x1331_11eb, high: 0x94d0_49bb };

export const LOW = 0;
export const HIGH = 1;

/** Two halves of 64 bits, at `LOW` and `HIGH`. */
export type Halves = Uint32Array;

export function newHalves(): Halves {
  return new Uint32Array(2);
}

/** The hash of a frame: splitmix64(seed XOR gfn). */
export function hashFrame({ low, high }: Seed, gfn: number, out: Halves): void {
  splitmix64((low ^ gfn) >>> 0, (high ^ (gfn / WORD)) >>> 0, out);
}

/** The hash of the number whose unsigned halves these are. */
export function splitmix64(low: number, high: number, out: Halves): void {
  let l = (low + GAMMA.low) >>> 0;
  let h = (high + GAMMA.high + (l < low ? 1 : 0)) >>> 0;
  l = shiftedLow(l, h, 30);
  h ^= h >>> 30;
  h = productHigh(l, h, MIX_1.low, MIX_1.high);
  l = Math.imul(l, MIX_1.low);
  l = shiftedLow(l, h, 27);
  h ^= h >>> 27;
  h = productHigh(l, h, MIX_2.low, MIX_2.high);
  l = Math.imul(l, MIX_2.low);
  out[LOW] = shiftedLow(l, h, 31);
  out[HIGH] = h ^ (h >>> 31);
}

/** Lower half of z ^ z >> bits, for 1 to 31 bits. */
function shiftedLow(low: number, high: number, bits: number): number {
  return low ^ ((low >>> bits) | (high << (32 - bits)));
}

/** Upper half of the product of two 64-bit numbers, modulo 2^64. */
function productHigh(aLow: number, aHigh: number, bLow: number, bHigh: number): number {
  return (Math.imul(aLow, bHigh) + Math.imul(aHigh, bLow) + carriedHigh(aLow, bLow)) | 0;
}

/** Bits 63:32 of the product of two unsigned 32-bit numbers, in products of 16 bits. */
function carriedHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  // Neither sum exceeds 32 bits: (2^16 - 1)^2 + 2^16 - 1 is below 2^32.
  const first = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0;
  const second = (Math.imul(aLow, bHigh) + (first & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (first >>> 16) + (second >>> 16)) | 0;
}
