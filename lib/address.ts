/**
 * Guest-physical addresses and sizes as numbers.
 *
 * 52 bits are the most that a gpa can have, and a number is exact to 53, so
 * plain arithmetic is enough here. It must not know which bits of an address mean
 * something: masks belong to the native core.
 */
import { outOfRange, wrongType } from "./expect.js";

/** Guest-physical address in bytes: 0 to 2^52 - 1. No bit of it is lost in a number. */
export type Gpa = number;

/** All 64 bits of an SPTE or of a bitmap; only such values are bigints here. */
export type Word = bigint;

export type PageSize = "4K" | "2M" | "1G";

/** Level 1, 2 and 3 of a paging tree, KVM's PG_LEVEL_4K, _2M and _1G. */
export type PageLevel = 1 | 2 | 3;

export const PAGE_BYTES = 4096;
export const KiB = 2 ** 10;
export const MiB = 2 ** 20;
export const GiB = 2 ** 30;
export const TiB = 2 ** 40;

/** The widest gpa that any x86 paging structure can map. */
export const MAX_ADDRESS_BITS = 52;

/** Page sizes by level; level 0 stands for "no leaf". */
export const PAGE_SIZES: readonly (PageSize | undefined)[] = [undefined, "4K", "2M", "1G"];

const SUFFIX_BYTES: Readonly<Record<string, number>> = { "": 1, K: KiB, M: MiB, G: GiB, T: TiB };

/** `"2M"` to 2. Undefined for anything that is not a page size. */
export function levelOfPageSize(size: unknown): PageLevel | undefined {
  const level = PAGE_SIZES.indexOf(size as PageSize);
  return level > 0 ? (level as PageLevel) : undefined;
}

/** Bytes that one leaf of a level maps. */
export function bytesOfLevel(level: PageLevel): number {
  return PAGE_BYTES * 512 ** (level - 1);
}

/**
 * Lower-case hex, `0x` in front.
 *
 * @example formatGpa(2 ** 32) // "0x100000000"
 */
export function formatGpa(gpa: Gpa): string {
  return `0x${gpa.toString(16)}`;
}

/** `[0x0, 0x1000)`: half-open, as every range here. */
export function formatRange(gpa: Gpa, bytes: number): string {
  return `[${formatGpa(gpa)}, ${formatGpa(gpa + bytes)})`;
}

/** The largest multiple of `unit` at or below `value`. */
export function alignDown(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}

/** The smallest multiple of `unit` at or above `value`. */
export function alignUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/**
 * Reads an address: hex (`0xfee00000`), decimal (`4096`), or decimal with a
 * binary suffix (`4G`, `1.5T`). A number is checked and returned.
 *
 * @throws TypeError or RangeError with code `ERR_CONFIG` unless the value is
 * an integer in [0, 2^52).
 */
export function parseGpa(value: string | number, option = "address"): Gpa {
  return parse(value, option, 2 ** MAX_ADDRESS_BITS - 1);
}

/**
 * Reads a size in bytes, written like an address. Up to 2^52 inclusive.
 *
 * @throws as {@link parseGpa}
 */
export function parseSize(value: string | number, option = "size"): number {
  return parse(value, option, 2 ** MAX_ADDRESS_BITS);
}

/**
 * Reads a host-virtual address, up to 2^53 - 1; KVM refuses what lies beyond
 * the host's own limit.
 *
 * @throws as {@link parseGpa}
 */
export function parseHva(value: string | number, option = "hva"): number {
  return parse(value, option, Number.MAX_SAFE_INTEGER);
}

function parse(value: string | number, option: string, max: number): number {
  const parsed = typeof value === "number" ? value : numberIn(value);
  if (parsed === undefined || Number.isNaN(parsed)) {
    const what = "a hex or decimal number, with K, M, G or T if decimal";
    throw wrongType(option, what, value);
  }
  if (!Number.isInteger(parsed) || parsed < 0 || parsed > max) {
    throw outOfRange(option, `an integer from 0 to ${formatGpa(max)}`, value);
  }
  return parsed;
}

function numberIn(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const trimmed = text.trim();
  // Number() is exact up to 2^53 and rounds beyond, where the range check refuses.
  if (/^0x[0-9a-f]+$/i.test(trimmed)) return Number(trimmed);
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)$/i.exec(trimmed);
  if (match === null) return undefined;
  const unit = SUFFIX_BYTES[(match[2] as string).toUpperCase()] as number;
  return Number(match[1]) * unit;
}
