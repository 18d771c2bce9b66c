/** A guest's memory, tables, registers and accesses as plain data, and how to make them up. */
import fc from "fast-check";
import { bit } from "../reference-walker/bits.js";
import type { Features } from "../reference-walker/features.js";
import type { Mode, Shape } from "../reference-walker/modes.js";
import { registersFor } from "../walk-matrix/settings.js";

/** Frames that tables lie in: few, so that they lead into each other, to themselves, and to the same page twice. */
export const TABLE_FRAMES = 8;
/** L1's tables beneath, if there are any: the root and one table of each level below, then the arena ends. */
export const BENEATH_FRAME = 16;
export const ARENA_FRAMES = 32;

export type Beneath = "none" | "ept4" | "ept5" | "npt4" | "npt5";

export interface EntrySpec {
  readonly frame: number;
  /** Bits that differ from an entry with every right. */
  readonly flips: readonly number[];
}

export interface SlotSpec {
  readonly gpa: number;
  /** First frame of the arena that it shows. */
  readonly from: number;
  readonly frames: number;
  readonly logs: boolean;
  readonly readonly: boolean;
}

export interface Query {
  readonly indexes: readonly number[];
  readonly offset: number;
  readonly write: boolean;
  readonly fetch: boolean;
  readonly user: boolean;
  readonly implicit: boolean;
}

export interface World {
  readonly mode: Mode;
  readonly beneath: Beneath;
  /** Combination of control bits, as the matrix numbers them. */
  readonly combination: number;
  readonly root: number;
  readonly features: Features;
  readonly pkru: number;
  /** By table frame, the entries at the three indexes that addresses have. */
  readonly tables: readonly (readonly EntrySpec[])[];
  /** Of each page of L2 below 16, the entry of the lowest table beneath; then those above it, lowest first. */
  readonly beneathPages: readonly EntrySpec[];
  readonly beneathLinks: readonly EntrySpec[];
  readonly marksBeneath: boolean;
  readonly executeOnly: boolean;
  readonly largeBeneath: boolean;
  readonly slots: readonly SlotSpec[];
  readonly protections: readonly { readonly frame: number; readonly state: "readonly" | "none" }[];
  readonly queries: readonly Query[];
}

/** Index 0, 1 and the last. */
const INDEXES = 3;
/** Mostly rights, marks and size; the rest is where a width or a page ends. */
const FLIPS = [
  0, 1, 1, 2, 2, 3, 5, 6, 6, 7, 7, 7, 8, 9, 12, 13, 20, 21, 30, 39, 40, 47, 51, 52, 59, 60, 63, 63,
];
const LEAF_FRAMES = [0x200, 0x400, 0x4_0000, 0x8_0000, 0xf_ffff];

const flips = fc.oneof(
  { weight: 3, arbitrary: fc.constant<number[]>([]) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom(...FLIPS), { maxLength: 2 }) },
);
const tableFrame = fc.integer({ min: 0, max: TABLE_FRAMES - 1 });
const entry: fc.Arbitrary<EntrySpec> = fc.record({
  frame: fc.oneof(
    { weight: 8, arbitrary: tableFrame },
    { weight: 1, arbitrary: fc.constantFrom(...LEAF_FRAMES, TABLE_FRAMES, ARENA_FRAMES) },
  ),
  flips,
});
/** Of the second level: each page at home, but now and then elsewhere, and seldom less than all rights. */
const beneathEntry = (home: number): fc.Arbitrary<EntrySpec> =>
  fc.record({
    frame: fc.oneof(
      { weight: 6, arbitrary: fc.constant(home) },
      { weight: 1, arbitrary: tableFrame },
      { weight: 1, arbitrary: fc.constant(ARENA_FRAMES) },
    ),
    flips: fc.oneof({ weight: 4, arbitrary: fc.constant<number[]>([]) }, { weight: 1, arbitrary: flips }),
  });

const slots = fc.constantFrom<readonly SlotSpec[]>(
  [{ gpa: 0, from: 0, frames: 32, logs: true, readonly: false }],
  [
    { gpa: 0, from: 0, frames: 4, logs: true, readonly: false },
    { gpa: 4, from: 4, frames: 28, logs: false, readonly: false },
  ],
  [
    { gpa: 0, from: 0, frames: 5, logs: true, readonly: false },
    { gpa: 5, from: 5, frames: 3, logs: true, readonly: true },
    { gpa: 8, from: 8, frames: 24, logs: true, readonly: false },
  ],
  // The same bytes twice, and a hole.
  [
    { gpa: 0, from: 0, frames: 4, logs: true, readonly: false },
    { gpa: 4, from: 2, frames: 3, logs: true, readonly: false },
    { gpa: 8, from: 8, frames: 24, logs: true, readonly: false },
  ],
);

const query: fc.Arbitrary<Query> = fc.record({
  indexes: fc.array(fc.integer({ min: 0, max: INDEXES - 1 }), { minLength: 5, maxLength: 5 }),
  offset: fc.integer({ min: 0, max: 4095 }),
  write: fc.boolean(),
  fetch: fc.boolean(),
  user: fc.boolean(),
  implicit: fc.boolean(),
});

const modes: Mode[] = ["4-level", "5-level", "pae", "32-bit", "off"];
const entriesOfTables = fc.array(fc.array(entry, { minLength: INDEXES, maxLength: INDEXES }), {
  minLength: TABLE_FRAMES,
  maxLength: TABLE_FRAMES,
});

export const worlds: fc.Arbitrary<World> = fc
  .record({
    mode: fc.constantFrom(...modes),
    beneath: fc.constantFrom<Beneath>("none", "none", "ept4", "ept5", "npt4", "npt5"),
    combination: fc.nat(127),
    root: tableFrame,
    features: fc.record({
      maxphyaddr: fc.constantFrom(40, 36, 39, 46, 52, undefined),
      isAmd: fc.boolean(),
      hasGigabytePages: fc.boolean(),
      stolen: fc.constantFrom(0n, bit(47)),
    }),
    pkru: fc.nat(),
    tables: entriesOfTables,
    beneathPages: fc.tuple(...Array.from({ length: 16 }, (_, page) => beneathEntry(page))),
    beneathLinks: fc.tuple(...[0, 1, 2, 3].map((n) => beneathEntry(BENEATH_FRAME + 1 + n))),
    marksBeneath: fc.boolean(),
    executeOnly: fc.boolean(),
    largeBeneath: fc.boolean(),
    slots,
    protections: fc.array(
      fc.record({ frame: tableFrame, state: fc.constantFrom<"readonly" | "none">("readonly", "none") }),
      { maxLength: 1 },
    ),
    queries: fc.array(query, { minLength: 1, maxLength: 8 }),
  })
  .map((world) => {
    // Stolen bits are of 64-bit tables that no others lie beneath.
    const steals = world.beneath === "none" && world.mode !== "32-bit";
    return steals ? world : { ...world, features: { ...world.features, stolen: 0n } };
  });

/** What the mode's registers are, paging off included. */
export function registersOf({ mode, combination, root, pkru }: World) {
  const fixed = { below: () => 0, pick: <T>(items: readonly T[]) => items[0] as T, once: () => false };
  const shape: Shape["mode"] = mode === "off" ? "32-bit" : mode;
  const made = registersFor(fixed, shape, combination);
  const cr0 = mode === "off" ? 0x11n : made.cr0;
  return { ...made, cr0, cr3: BigInt(root * 4096), pkru: BigInt(pkru) };
}
