/** What the bits of an entry of EPT mean, L1's tables for its guest: 8 bytes, four or five levels. */
import type { Grant } from "./access.js";
import { bit, bits, has } from "./bits.js";

export const EPT_READ = bit(0);
export const EPT_WRITE = bit(1);
export const EPT_EXECUTE = bit(2);
export const EPT_RWX = bits(2, 0);
export const EPT_LARGE = bit(7);
export const EPT_ACCESSED = bit(8);
export const EPT_DIRTY = bit(9);

/** The root pointer's own fields: how many tables a walk reads, less 1, and whether entries are marked. */
const LEVELS_OF_ROOT = bits(5, 3);
const MARKS_OF_ROOT = bit(6);

export const levelsOf = (eptp: bigint): number => Number((eptp & LEVELS_OF_ROOT) >> 3n) + 1;
export const isMarking = (eptp: bigint): boolean => has(eptp, MARKS_OF_ROOT);

export const isPresentInEpt = (entry: bigint): boolean => has(entry, EPT_RWX);
export const isLastInEpt = (entry: bigint, level: number): boolean => level === 1 || has(entry, EPT_LARGE);

/** Address bits are the same in a link, a leaf and the root pointer; no alias is ever dropped from them. */
const EPT_ADDRESS = bits(51, 12);
export const tableInEpt = (pointer: bigint): bigint => pointer & EPT_ADDRESS;

export const eptShiftOf = (level: number): bigint => BigInt(12 + 9 * (level - 1));
export const eptIndexOf = (level: number, address: bigint): bigint =>
  (address >> eptShiftOf(level)) & bits(8, 0);

export function addressInEpt(entry: bigint, level: number, address: bigint): bigint {
  const offset = bit(Number(eptShiftOf(level))) - 1n;
  return (entry & EPT_ADDRESS & ~offset) | (address & offset);
}

/** EPT has no users: to be readable stands in the place of belonging to the user. */
export const grantOf = (rwx: bigint): Grant => ({
  user: has(rwx, EPT_READ),
  write: has(rwx, EPT_WRITE),
  execute: has(rwx, EPT_EXECUTE),
});
