/**
 * 512 walks at a time, packed. Case *i* has entry *i* of a table of each level to itself, as every index of
 * its address is *i*: 512 cases are one page of memory a level, and none can see another's entries.
 */
import type { Features } from "../reference-walker/features.js";
import type { Shape } from "../reference-walker/modes.js";
import type { Pdptrs } from "../reference-walker/pdptrs.js";
import type { Registers } from "../reference-walker/registers.js";

export const CASES = 512;
/** Registers change once for so many cases. */
export const CASES_A_SETTING = 64;

/** Pages of the one slot; the table of level *n* is page *n* of it, all others are zeros. */
export const TABLES = 0x10_0000;
export const TABLE_PAGES = 16;
export const PAGE = 4096;
/** Where PAE's four root entries lie: the end of a page in a slot of its own, far from any that an entry names. */
export const ROOTS_PAGE = 0x7654_3000;
export const ROOTS = ROOTS_PAGE + PAGE - 32;

export interface Batch {
  readonly number: number;
  readonly mode: Shape["mode"];
  readonly features: Features;
  /** Of cases 0 to 63, 64 to 127 and so on. */
  readonly settings: readonly Registers[];
  readonly pdptrs: Pdptrs;
  /** Entry *i* of the table of level *n* at 512 n + i, an entry of 4 bytes in the low half. */
  readonly entries: BigUint64Array;
  readonly addresses: BigUint64Array;
  /** Bits of a fault's error code; bit 7 stands for an implicit access. */
  readonly accesses: Uint8Array;
}

export const IMPLICIT_BIT = 0x80;

/** What each case came to, in the same order. */
export interface Answers {
  /** The fault's error code, or -1. */
  readonly codes: Int16Array;
  /** Where there is no fault: the address with any stolen bit, the leaf's level, and X, W and U as 1, 2 and 4. */
  readonly gpas: BigUint64Array;
  readonly levels: Uint8Array;
  readonly rights: Uint8Array;
  /** The entries, marked. */
  readonly entries: BigUint64Array;
}

export const TRANSLATED = -1;

export const noAnswers = ({ entries }: Batch): Answers => ({
  codes: new Int16Array(CASES),
  gpas: new BigUint64Array(CASES),
  levels: new Uint8Array(CASES),
  rights: new Uint8Array(CASES),
  entries: entries.slice(),
});

export const settingOf = ({ settings }: Batch, index: number): Registers =>
  settings[Math.floor(index / CASES_A_SETTING)] as Registers;

export const entryBytesOf = ({ mode }: Batch): 4 | 8 => (mode === "32-bit" ? 4 : 8);

/** The table of one level as memory holds it, little-endian. */
export function tableBytes(batch: Batch, level: number): Uint8Array {
  const entries = batch.entries.slice(level * CASES, (level + 1) * CASES);
  if (entryBytesOf(batch) === 8) return new Uint8Array(entries.buffer);
  const words = new Uint32Array(PAGE / 4);
  for (const [i, entry] of entries.entries()) words[i] = Number(entry);
  return new Uint8Array(words.buffer);
}

/** The other way round: into `entries`. */
export function takeTable(batch: Batch, level: number, bytes: Uint8Array, entries: BigUint64Array): void {
  const { buffer } = bytes.slice();
  if (entryBytesOf(batch) === 8) entries.set(new BigUint64Array(buffer), level * CASES);
  else for (let i = 0; i < CASES; ++i) entries[level * CASES + i] = BigInt(new Uint32Array(buffer)[i] ?? 0);
}
