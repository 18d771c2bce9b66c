/** What the bits of a guest's entry mean: 4 or 8 bytes long, any level. */
import { bit, bits, has } from "./bits.js";
import { type Shape, shiftOf } from "./modes.js";
import { hasLargePages, type Registers } from "./registers.js";

export const PRESENT = bit(0);
export const WRITABLE = bit(1);
export const USER_PAGE = bit(2);
export const ACCESSED = bit(5);
export const DIRTY = bit(6);
export const PAGE_SIZE = bit(7);
export const NO_EXECUTE = bit(63);

export const isPresent = (entry: bigint): boolean => has(entry, PRESENT);

/** Bit 7 of a 4-byte entry is ignored unless CR4.PSE is set; an 8-byte entry's ends the walk at any level. */
export function isLast(shape: Shape, registers: Registers, entry: bigint, level: number): boolean {
  if (level === 1) return true;
  return has(entry, PAGE_SIZE) && (shape.entryBytes === 8 || hasLargePages(registers));
}

const addressBits = ({ entryBytes }: Shape): bigint => (entryBytes === 4 ? bits(31, 12) : bits(51, 12));

/** Where the table lies that an entry, or the root register, points to; no table lies at an alias. */
export const tableOf = (shape: Shape, pointer: bigint, stolen: bigint): bigint =>
  pointer & addressBits(shape) & ~(shape.entryBytes === 8 ? stolen : 0n);

/** PSE-36: bits 16:13 of a 4 MiB entry are bits 35:32 of the address. */
const beyondFourGigabytes = (entry: bigint): bigint => (entry & bits(16, 13)) << 19n;

/** The address that the last entry gives, with any stolen bit; a large page drops PAT with the rest of its low bits. */
export function mappedAddress(shape: Shape, entry: bigint, level: number, address: bigint): bigint {
  const offset = (1n << shiftOf(shape, level)) - 1n;
  const base = entry & addressBits(shape) & ~offset;
  const high = shape.entryBytes === 4 && level === 2 ? beyondFourGigabytes(entry) : 0n;
  return high | base | (address & offset);
}
