/** Accessed and Dirty: who gets them, when, what is marked dirty, and what a failed write reports. */
import { describe, expect, test } from "vitest";
import { ACCESSED, ADDRESS, AGuest, DIRTY, FRAME, LARGE, PWU } from "../support/a-guest.js";
import { FETCH, READ, USER, WRITE } from "./reference-walker/access.js";
import type { Shape } from "./reference-walker/modes.js";
import type { TableMemory } from "./reference-walker/table-memory.js";

const MODES: Shape["mode"][] = ["32-bit", "pae", "4-level", "5-level"];
const SUPERVISOR = 3n;

/** Accessed and Dirty of each level, topmost first. */
const marksOf = (guest: AGuest): string[] =>
  [...Array(guest.shape.topLevel).keys()].reverse().map((n) => {
    const entry = guest.load(guest.entryAt(n + 1));
    return `${(entry & ACCESSED) === 0n ? "" : "A"}${(entry & DIRTY) === 0n ? "" : "D"}`;
  });

const dirtyPages = (guest: AGuest): number[] => guest.memory.dirtied.map(({ page }) => page);

/** Memory in which another CPU acts before each exchange. */
const disturbed = (guest: AGuest, before: (gpa: bigint) => void): TableMemory => ({
  read: guest.memory.read.bind(guest.memory),
  exchange(gpa, bytes, old, next) {
    before(gpa);
    return guest.memory.exchange(gpa, bytes, old, next);
  },
  markDirty: guest.memory.markDirty.bind(guest.memory),
});

describe.each(MODES)("%s tables", (mode) => {
  const depth = { "32-bit": 2, pae: 2, "4-level": 4, "5-level": 5 }[mode];
  const levels = [...Array(depth).keys()].map((n) => n + 1).reverse();

  test("a read sets Accessed in every entry, from the top down, and each table's page is dirty once", () => {
    const guest = new AGuest(mode).map(PWU | FRAME);
    expect(guest.code(READ)).toBeUndefined();
    expect(marksOf(guest)).toEqual(levels.map(() => "A"));
    expect(dirtyPages(guest)).toEqual(levels.map((level) => Number(guest.entryAt(level) >> 12n)));
    guest.access(READ);
    expect(guest.memory.dirtied).toHaveLength(depth);
  });

  test("a write sets Dirty in the last entry alone, with Accessed by one store", () => {
    const guest = new AGuest(mode).map(PWU | FRAME);
    guest.access(WRITE);
    expect(marksOf(guest)).toEqual(levels.map((level) => (level === 1 ? "AD" : "A")));
    expect(guest.memory.dirtied).toHaveLength(depth);
  });

  test("a write through entries that are all accessed stores Dirty alone", () => {
    const guest = new AGuest(mode).map(PWU | FRAME);
    guest.access(READ);
    guest.memory.dirtied.length = 0;
    guest.access(WRITE | USER);
    expect(dirtyPages(guest)).toEqual([Number(guest.entryAt(1) >> 12n)]);
  });

  test("a walk that faults sets nothing", () => {
    const guest = new AGuest(mode).map(SUPERVISOR | FRAME);
    expect(guest.code(USER)).toBe(5);
    expect(marksOf(guest)).toEqual(levels.map(() => ""));
    expect(guest.memory.dirtied).toEqual([]);
  });
});

describe("what a walk grants", () => {
  test("a clean leaf that is read is granted without W; Accessed is set, Dirty is not", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME);
    expect(guest.access(READ)).toMatchObject({ granted: { user: true, write: false, execute: true } });
    expect(guest.load(guest.entryAt(1))).toBe(PWU | FRAME | ACCESSED);
  });

  test("a dirty leaf, or one just written, is granted with W", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME | DIRTY);
    expect(guest.access(FETCH)).toMatchObject({ granted: { write: true } });
    expect(new AGuest("4-level").map(PWU | FRAME).access(WRITE)).toMatchObject({ granted: { write: true } });
    expect(new AGuest("4-level").map(5n | FRAME | DIRTY).access(READ)).toMatchObject({
      granted: { write: false },
    });
  });

  test("a large leaf is marked as a small one is", () => {
    const guest = new AGuest("4-level").map(PWU | LARGE, 3);
    guest.access(WRITE);
    expect(guest.load(guest.entryAt(3))).toBe(PWU | LARGE | ACCESSED | DIRTY);
  });

  test("an entry of PAE's root in a register is never marked", () => {
    const guest = new AGuest("pae").map(PWU | FRAME);
    const before = [...guest.pdptrs];
    guest.access(WRITE);
    expect(guest.pdptrs).toEqual(before);
  });
});

describe("tables that cannot be written", () => {
  test("in a read-only slot stay as they are, without a word, and no page is dirty", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME);
    const slot = guest.memory.slots.get(0);
    if (slot !== undefined) guest.memory.slots.set(0, { ...slot, isReadOnly: true });
    expect(guest.gpa(WRITE)).toBe(FRAME | 0x123n);
    expect(marksOf(guest)).toEqual(["", "", "", ""]);
    expect(guest.memory.dirtied).toEqual([]);
  });

  test("do not keep those below, in a slot that can be written, from their marks", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME);
    const slot = guest.memory.slots.get(0);
    const below = guest.entryAt(3) & ~0xfffn;
    if (slot === undefined) throw new Error("no slot");
    guest.memory.slots.set(0, { ...slot, bytes: below, isReadOnly: true });
    guest.memory.slots.set(1, { ...slot, id: 1, gpa: below, offset: below });
    expect(guest.gpa(WRITE)).toBe(FRAME | 0x123n);
    expect(marksOf(guest)).toEqual(["", "A", "A", "AD"]);
  });

  test("closed to the process' writes fail the walk as not present; what was set above stays", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME);
    guest.memory.protections.set(guest.entryAt(2) >> 12n, "ro");
    expect(guest.code(WRITE | USER)).toBe(6);
    expect(marksOf(guest)).toEqual(["A", "A", "", ""]);
    expect(guest.memory.dirtied).toHaveLength(2);
  });

  test("closed to writes do no harm where nothing is to be set", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME);
    guest.access(READ);
    guest.memory.protections.set(guest.entryAt(2) >> 12n, "ro");
    expect(guest.gpa(READ)).toBe(FRAME | 0x123n);
  });
});

describe("an entry that changes between read and exchange", () => {
  test("starts the whole walk again: it sees the new tables", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME);
    const [leaf, other] = [guest.entryAt(1), FRAME + 0x5000n];
    const memory = disturbed(guest, (gpa) => {
      if (gpa === leaf && guest.load(leaf) === (PWU | FRAME)) guest.put(leaf, PWU | other);
    });
    expect(guest.access(READ, ADDRESS, memory)).toMatchObject({ gpa: other | 0x123n });
    expect(guest.load(leaf)).toBe(PWU | other | ACCESSED);
    expect(guest.memory.dirtied).toHaveLength(4);
  });

  test("may fail the second walk; what the first one set stays", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME);
    const leaf = guest.entryAt(1);
    const memory = disturbed(guest, (gpa) => {
      if (gpa === leaf) guest.put(leaf, 0n);
    });
    expect(guest.access(READ, ADDRESS, memory)).toMatchObject({ fault: { errorCode: 0n } });
    expect(marksOf(guest)).toEqual(["A", "A", "A", ""]);
  });

  test("is set once where one entry stands at two levels of the walk", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME);
    const root = guest.registers.cr3;
    // A table that holds itself: index 0 of every level is the root's own first entry.
    guest.put(root, root | PWU);
    expect(guest.gpa(WRITE, 0x321n)).toBe(root | 0x321n);
    expect(guest.load(root)).toBe(root | PWU | ACCESSED | DIRTY);
    // Accessed by the topmost level; its own mark made level 3 start anew; then Dirty by the last.
    expect(dirtyPages(guest)).toEqual([1, 1]);
  });
});

describe("dirty marks", () => {
  test("belong to the slot that the walk went through, and only to one that logs", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME);
    const slot = guest.memory.slots.get(0);
    if (slot === undefined) throw new Error("no slot");
    guest.memory.slots.set(0, { ...slot, logsDirty: false });
    // The same bytes once more, elsewhere, logged.
    guest.memory.slots.set(1, { ...slot, id: 1, gpa: 0x4000_0000n });
    guest.access(READ);
    expect(guest.memory.dirtied).toEqual([]);
    guest.registers = { ...guest.registers, cr3: guest.registers.cr3 + 0x4000_0000n };
    guest.access(WRITE);
    expect(guest.memory.dirtied).toEqual([]);
    guest.put(guest.entryAt(4), guest.load(guest.entryAt(4)) & ~ACCESSED);
    guest.access(READ);
    expect(guest.memory.dirtied).toEqual([{ slot: 1, page: 1 }]);
  });
});
