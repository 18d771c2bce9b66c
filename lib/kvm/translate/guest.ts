/**
 * A random guest's memory: slots, pages that serve as tables, and entries that
 * mostly lead on.
 */
import type { SlotRow } from "../../vectors/translate/step.js";
import type { Random } from "../random.js";
import { hexOf } from "./arena.js";

export const PAGE = 4096n;
const LEVELS = [4, 3, 2, 1] as const;
/** Where the narrowest guest has its tables. */
const LOW: readonly bigint[] = [0n, 0x10_0000n, 0x4000_0000n, 0xfff0_0000n];
/** Far apart, so that no slot reaches the next one's place; the last ends where addresses do. */
const HIGH: readonly bigint[] = [
  ...[
    2n ** 32n,
    2n ** 36n - 0x4_0000n,
    2n ** 36n,
    2n ** 40n,
    2n ** 46n - 0x4_0000n,
    2n ** 48n,
    2n ** 52n - 0x4_0000n,
  ],
];
const SIZES: readonly bigint[] = [0x1000n, 0x2000n, 0x8000n, 0x1_0000n, 0x4_0000n];

export interface GuestSlot {
  readonly id: number;
  readonly gpa: bigint;
  readonly bytes: bigint;
  readonly flags: number;
  readonly offset: bigint;
}

export interface Guest {
  readonly random: Random;
  readonly slots: Map<number, GuestSlot>;
  /** Pages of tables by level; a page may serve at several. */
  readonly tables: Readonly<Record<number, readonly bigint[]>>;
  /** Which entries of a level's tables are written. */
  readonly indices: Readonly<Record<number, readonly number[]>>;
  /** Where no slot has been yet. */
  readonly places: bigint[];
}

export function newGuest(random: Random): Guest {
  const places = shuffled(random, [...LOW, ...HIGH]);
  // Registers that lead to no table ask little.
  if (!random.isOneIn(4))
    places.push(
      ...places.splice(
        places.findIndex((place) => LOW.includes(place)),
        1,
      ),
    );
  const slots = new Map<number, GuestSlot>();
  const count = random.between(1, 4);
  for (let id = 0; id < count; id++) slots.set(id, newSlot(random, id, places));
  const pages = [...slots.values()].flatMap(pagesOf);
  const page = () => random.pick(pages);
  const tables = { 4: [page()], 3: [page(), page()], 2: [page(), page()], 1: [page(), page()] };
  const indices = Object.fromEntries(LEVELS.map((level) => [level, someIndices(random)]));
  return { random, slots, tables, indices, places };
}

function newSlot(random: Random, id: number, places: bigint[]): GuestSlot {
  const gpa = places.pop() as bigint;
  // The first has room for tables; two may show one stretch of memory.
  const bytes = id === 0 ? 0x4_0000n : random.pick(SIZES);
  const offset = random.isOneIn(5) ? 0n : BigInt(id) * 0x4_0000n;
  return {
    id,
    gpa,
    bytes,
    flags: random.weighted([
      [8, 0],
      [5, 1],
      [1, 2],
      [1, 3],
    ]),
    offset,
  };
}

/** The first few of a slot. */
function pagesOf({ id, gpa, bytes }: GuestSlot): bigint[] {
  const count = Math.min(Number(bytes / PAGE), id === 0 ? 16 : 2);
  return Array.from({ length: count }, (_, at) => gpa + BigInt(at) * PAGE);
}

export function rowOf({ id, gpa, bytes, flags, offset }: GuestSlot): SlotRow {
  return [id, hexOf(gpa), hexOf(bytes), flags, hexOf(offset)];
}

/** Stores of entries: each of a table's, or a few. */
export function randomEntries(guest: Guest, share: number): [string, string][] {
  const { random, tables, indices } = guest;
  const all = LEVELS.flatMap((level) =>
    (tables[level] ?? []).flatMap((page) => (indices[level] ?? []).map((index) => ({ level, page, index }))),
  );
  return all
    .filter(({ page }) => random.below(100) < share && isShown(guest, page))
    .map(({ level, page, index }) => [hexOf(page + BigInt(index) * 8n), hexOf(randomEntry(guest, level))]);
}

/** Whether a slot has the page now. */
export function isShown({ slots }: Guest, page: bigint): boolean {
  return [...slots.values()].some(({ gpa, bytes }) => page >= gpa && page < gpa + bytes);
}

function randomEntry(guest: Guest, level: number): bigint {
  const { random } = guest;
  if (random.isOneIn(24)) return 0n;
  const isLarge = random.isOneIn(level === 2 ? 5 : 16);
  const frame =
    level === 1 || isLarge
      ? leafFrame(guest, isLarge && level > 1)
      : random.pick(guest.tables[level - 1] ?? [0n]);
  const bit = (at: number, outOf: number) => (random.below(outOf) === 0 ? 1n << BigInt(at) : 0n);
  // Present, writable, user, PWT, PCD, Accessed, Dirty, global, ignored, NX; and a bit that may be reserved.
  const present = random.isOneIn(16) ? 0n : 1n;
  const rights = bit(1, 2) | bit(2, 2) | bit(3, 10) | bit(4, 10) | bit(5, 3) | bit(6, 3) | bit(8, 6);
  const large = isLarge ? 1n << 7n : bit(7, 60);
  const odd = bit(9, 8) | bit(11, 8) | bit(52, 12) | bit(59, 12) | bit(62, 12) | bit(63, 8);
  const reserved = random.isOneIn(12) ? 1n << BigInt(random.between(30, 51)) : 0n;
  return frame | present | rights | large | odd | reserved;
}

function leafFrame({ random, slots }: Guest, isLarge: boolean): bigint {
  const { gpa } = random.pick([...slots.values()]);
  const far = BigInt(random.below(2 ** 24)) * PAGE;
  const frame = random.pick([gpa, gpa + PAGE, far, 0xfffff000n, far + 2n ** 40n]);
  // A large page's low bits are reserved, PAT apart.
  return isLarge && !random.isOneIn(6) ? frame - (frame % 2n ** 21n) : frame;
}

export function randomGva({ random, indices }: Guest): bigint {
  if (random.isOneIn(12))
    return random.pick([0n, 0xfffn, 2n ** 32n - 1n, 2n ** 47n - 1n, 2n ** 47n, 2n ** 64n - 1n]);
  const parts = LEVELS.map((level) =>
    BigInt(random.isOneIn(10) ? random.below(512) : random.pick(indices[level] ?? [0])),
  );
  const low = parts.reduce((sum, index) => sum * 512n + index, 0n) * PAGE + BigInt(random.below(4096));
  if (random.isOneIn(16)) return low | (BigInt(random.between(1, 0xffff)) << 48n);
  return low >= 2n ** 47n ? low | (0xffffn << 48n) : low;
}

function someIndices(random: Random): readonly number[] {
  return [
    random.pick([0, 1, 2]),
    random.pick([255, 256, 257]),
    random.pick([0x1fe, 0x1ff]),
    random.below(512),
  ];
}

function shuffled<T>(random: Random, from: readonly T[]): T[] {
  const rest = [...from];
  return from.map(() => rest.splice(random.below(rest.length), 1)[0] as T);
}
