/** A guest of a guest: every reference to memory in order, and faults that L1 is told instead of L2. */
import { describe, expect, test } from "vitest";
import { ACCESSED, ADDRESS, DIRTY, FRAME, LARGE, NX, PWU } from "../support/a-guest.js";
import { RWX, WB } from "../support/an-ept.js";
import { MOVED, overEpt, overNpt } from "../support/nested-worlds.js";
import { FETCH, READ, USER, WRITE } from "./reference-walker/access.js";
import { bit, bits } from "./reference-walker/bits.js";
import type { Shape } from "./reference-walker/modes.js";
import { loadPdptrs } from "./reference-walker/pdptrs.js";
import { AT_RESET, CR4_PKE, CR4_SMAP, CR4_SMEP, EFER_LMA, EFER_LME } from "./reference-walker/registers.js";
import { combined } from "./reference-walker/second-level.js";

const MODES: Shape["mode"][] = ["32-bit", "pae", "4-level", "5-level"];
const DEPTH = { "32-bit": 2, pae: 2, "4-level": 4, "5-level": 5 };
const END = MOVED + FRAME + 0x123n;

describe.each([4, 5] as const)("references over %i tables", (levels) => {
  const worlds = (mode: Shape["mode"]) => [overEpt(mode, { levels }), overNpt(mode, `${levels}-level`)];

  test.each(MODES)(
    "%s: (own + 1) * (beneath + 1) - 1 reads, the way to each table before its entry",
    (mode) => {
      for (const world of worlds(mode)) {
        const { outcome, references } = world.access(READ);
        expect(outcome).toMatchObject({ gpa: END, level: 1 });
        const way = [...Array(levels).fill("beneath")];
        const turns = Array(DEPTH[mode])
          .fill([...way, "own"])
          .flat();
        expect(references.map(({ kind }) => kind)).toEqual([...turns, ...way]);
      }
    },
  );

  test("paging off reads the tables beneath alone", () => {
    for (const world of worlds("32-bit")) {
      world.guest.registers = { ...AT_RESET, cr0: 0x11n };
      const { outcome, references } = world.access(WRITE, FRAME | 0x123n);
      expect(outcome).toMatchObject({ gpa: END, level: 0 });
      expect(references.map(({ kind }) => kind)).toEqual(Array(levels).fill("beneath"));
    }
  });
});

test("four tables over four make 24 references, five over four and four over five 29, five over five 35", () => {
  const count = (mode: Shape["mode"], levels: 4 | 5) =>
    overEpt(mode, { levels }).access(READ).references.length;
  expect([count("4-level", 4), count("5-level", 4)]).toEqual([24, 29]);
  expect([count("4-level", 5), count("5-level", 5)]).toEqual([29, 35]);
});

test("a large page in either kind of tables saves what lies below it", () => {
  const world = overEpt("4-level");
  const moved = 0xc000_0000n;
  world.guest.map(PWU | LARGE | FRAME, 3);
  world.ept.map(FRAME, RWX | WB | LARGE | moved, 3);
  const { outcome, references } = world.access(READ);
  // Two own entries with four beneath before each, then two to the gigabyte.
  expect(references).toHaveLength(12);
  expect(outcome).toMatchObject({ gpa: moved | (ADDRESS & bits(29, 0)), level: 3 });
});

describe.each(MODES)("%s tables in L1's memory", (mode) => {
  test("are read and marked where L1 put them, and the dirty page is the one that L2 named", () => {
    const { guest, access } = overEpt(mode);
    const { references } = access(WRITE);
    const own = references.filter(({ kind }) => kind === "own").map(({ gpa }) => gpa);
    const levels = [...Array(DEPTH[mode]).keys()].map((n) => n + 1).reverse();
    expect(own).toEqual(levels.map((level) => MOVED + guest.entryAt(level)));
    expect(guest.load(guest.entryAt(1))).toBe(PWU | FRAME | ACCESSED | DIRTY);
    expect(guest.memory.dirtied).toEqual(
      levels.map((level) => ({ slot: 0, page: Number(guest.entryAt(level) >> 12n) })),
    );
  });

  test("that EPT does not map fail as L1's fault, a write by a user, with the table's page as address", () => {
    for (let level = 1; level <= DEPTH[mode]; ++level) {
      const { guest, ept, access } = overEpt(mode);
      const table = guest.entryAt(level) & ~0xfffn;
      ept.map(table, 0n);
      expect(access(READ).outcome).toEqual({
        fault: {
          vector: 14,
          errorCode: USER | WRITE,
          address: table,
          nested: true,
          exit: "violation",
          qualification: 3n,
        },
      });
    }
  });

  test("that may not be written fail though the access only reads: marks are asked for at once", () => {
    const { guest, ept, access } = overEpt(mode);
    const table = guest.entryAt(1) & ~0xfffn;
    ept.map(table, (table + MOVED) | WB | 5n);
    expect(access(FETCH).outcome).toMatchObject({ fault: { address: table, qualification: 0b101_011n } });
    const npt = overNpt(mode, "4-level");
    npt.host.map((table + MOVED) | 5n, 1, table);
    expect(npt.access(FETCH).outcome).toEqual({
      fault: { vector: 14, errorCode: 7n, address: table, nested: true },
    });
  });
});

describe("whose fault it is", () => {
  test("L2's own tables refuse before the last address is asked of L1", () => {
    const { guest, ept, access } = overEpt("4-level");
    guest.map(3n | FRAME);
    ept.map(FRAME, 0n);
    expect(access(USER).outcome).toEqual({
      fault: { vector: 14, errorCode: 5n, address: ADDRESS, nested: false },
    });
  });

  test("the last address fails as L1's, with the access itself as a user's; L2 is not marked", () => {
    for (const [kind, qualification] of [
      [READ, 1n],
      [WRITE, 3n],
      [FETCH, 5n],
      [WRITE | USER, 3n],
    ] as const) {
      const { guest, ept, access } = overEpt("4-level");
      ept.map(FRAME, 0n);
      expect(access(kind).outcome).toMatchObject({
        fault: { address: FRAME, nested: true, exit: "violation", qualification },
      });
      expect(guest.load(guest.entryAt(4)) & ACCESSED).toBe(0n);
    }
  });

  test("a misconfigured entry beneath is L1's too", () => {
    const { guest, ept, access } = overEpt("5-level", { levels: 5 });
    const table = guest.entryAt(3) & ~0xfffn;
    ept.map(table, (table + MOVED) | RWX | WB | bit(40));
    expect(access(READ).outcome).toMatchObject({ fault: { nested: true, exit: "misconfiguration" } });
  });

  test("a table of L2 that EPT maps to no slot is absent for L2, not for L1", () => {
    const { guest, ept, access } = overEpt("4-level");
    ept.map(guest.entryAt(2) & ~0xfffn, 0x4000_0000n | RWX | WB);
    expect(access(WRITE | USER).outcome).toEqual({
      fault: { vector: 14, errorCode: 6n, address: ADDRESS, nested: false },
    });
  });

  test("paging off reports the address whole", () => {
    const { guest, access } = overEpt("32-bit");
    guest.registers = { ...AT_RESET, cr0: 0x11n };
    expect(access(WRITE, 0x7000_0123n).outcome).toMatchObject({
      fault: { address: 0x7000_0123n, qualification: 3n },
    });
    const npt = overNpt("32-bit", "4-level");
    npt.guest.registers = { ...AT_RESET, cr0: 0x11n };
    expect(npt.access(WRITE, 0x7000_0123n).outcome).toMatchObject({
      fault: { address: 0x7000_0123n, errorCode: 6n, nested: true },
    });
  });
});

describe("nested tables of AMD", () => {
  const failing = (making: Parameters<typeof overNpt>[2], leaf: bigint, kind: bigint) => {
    const world = overNpt("4-level", "4-level", making);
    world.host.map((FRAME + MOVED) | leaf, 1, FRAME);
    const { outcome } = world.access(kind);
    return "fault" in outcome ? Number(outcome.fault?.errorCode) : undefined;
  };
  const LONG = EFER_LME | EFER_LMA;

  test("take every access for a user's, so that neither WP, SMEP, SMAP nor keys of L1 have a say", () => {
    const registers = { cr4: CR4_SMEP | CR4_SMAP | CR4_PKE | bit(5), pkru: bits(31, 0) };
    expect([READ, WRITE, FETCH].map((kind) => failing({ registers }, PWU, kind))).toEqual(
      Array(3).fill(undefined),
    );
    expect(failing({}, 3n, READ)).toBe(5);
    expect(failing({ registers: { cr0: 0n } }, 5n, WRITE)).toBe(7);
  });

  test("heed NX if L1 has it, and reserve bit 63 if it has not", () => {
    expect(failing({}, PWU | NX, FETCH)).toBe(0x15);
    expect(failing({}, PWU | NX, READ)).toBeUndefined();
    expect(failing({ registers: { efer: LONG } }, PWU | NX, READ)).toBe(0xd);
  });

  test("are marked: Accessed by every reference, Dirty where L2's tables are, as those are written", () => {
    const { guest, host, access } = overNpt("4-level", "4-level");
    access(READ);
    const leaf = (page: bigint) => host.load(host.entryAt(1, page)) & (ACCESSED | DIRTY);
    expect(leaf(guest.entryAt(1))).toBe(ACCESSED | DIRTY);
    expect(leaf(FRAME)).toBe(ACCESSED);
    access(WRITE);
    expect(leaf(FRAME)).toBe(ACCESSED | DIRTY);
  });
});

describe("rights of both", () => {
  test("are told apart, and both must allow", () => {
    const { guest, ept, access } = overEpt("4-level");
    guest.map(PWU | FRAME | DIRTY);
    ept.map(FRAME, (FRAME + MOVED) | WB | 1n);
    const { outcome } = access(USER);
    if ("fault" in outcome || outcome.grantedBeneath === undefined) throw new Error("a fault");
    expect(outcome.granted).toEqual({ user: true, write: true, execute: true });
    expect(outcome.grantedBeneath).toEqual({ user: true, write: false, execute: false });
    expect(combined(outcome.granted, outcome.grantedBeneath)).toEqual({
      user: true,
      write: false,
      execute: false,
    });
  });

  test("L2 fetches from a page that L1 made execute-only in vain: the walk asks to read, too", () => {
    const { ept, access } = overEpt("4-level");
    ept.map(FRAME, (FRAME + MOVED) | WB | 4n);
    expect(access(FETCH).outcome).toMatchObject({ fault: { nested: true, qualification: 0b100_101n } });
  });
});

describe("the entries of PAE's root", () => {
  test("are loaded from where L1 put them, or not at all", () => {
    const { guest, ept, access } = overEpt("pae");
    guest.memory.store(0x9_0fe0n, 0x2001n);
    const registers = { ...guest.registers, cr3: 0x9_0fe0n };
    access(READ);
    const load = () => loadPdptrs(guest.memory, registers, guest.features, guest.beneath);
    expect(load()).toBeUndefined();
    ept.map(0x9_0000n, (0x9_0000n + MOVED) | RWX | WB);
    expect(load()).toEqual([0x2001n, 0n, 0n, 0n]);
    ept.map(0x9_0000n, (0x9_0000n + MOVED) | WB | 5n);
    expect(load()).toBeUndefined();
  });
});

test("no bit may be stolen where a guest has a guest", () => {
  const { guest, access } = overEpt("4-level");
  guest.features = { ...guest.features, stolen: bit(47) };
  expect(() => access(READ)).toThrow("no bit of an address is stolen");
});
