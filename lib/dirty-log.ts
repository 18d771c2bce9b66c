/**
 * One KVM_GET_DIRTY_LOG result, readable as words, as a count or as addresses.
 *
 * It knows bitmaps only; which slot and why is its caller's business.
 */
import { type Gpa, PAGE_BYTES } from "./address.js";

/** The pages of a slot that were written since its log was last taken. */
export interface DirtyLog {
  /** One bit per page of the slot, little-endian, as KVM_GET_DIRTY_LOG gives it. */
  readonly words: BigUint64Array;
  /** How many bits are set. */
  readonly pages: number;
  /** Guest-physical addresses of those pages, ascending. */
  gpas(): IterableIterator<Gpa>;
}

const HALF_BITS = 32;

/** @param gpa where the slot starts */
export function dirtyLogOf(gpa: Gpa, words: BigUint64Array): DirtyLog {
  // As 32-bit halves: a bigint per word costs more than the scan.
  const halves = new Uint32Array(words.buffer, words.byteOffset, words.length * 2);
  let pages = 0;
  for (const half of halves) pages += popcount(half);
  return { words, pages, gpas: () => gpasOf(gpa, halves) };
}

function* gpasOf(gpa: Gpa, halves: Uint32Array): IterableIterator<Gpa> {
  for (const [index, half] of halves.entries()) {
    for (let rest = half; rest !== 0; rest &= rest - 1) {
      yield gpa + (index * HALF_BITS + lowestBit(rest)) * PAGE_BYTES;
    }
  }
}

function lowestBit(word: number): number {
  return HALF_BITS - 1 - Math.clz32(word & -word);
}

function popcount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}
