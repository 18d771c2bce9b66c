/** Which bits a present entry must not set: every mode, level and single bit, read by a walk. */
import { describe, expect, test } from "vitest";
import { ADDRESS, AGuest, FRAME, LARGE, type Making, NX, PWU } from "../support/a-guest.js";
import { EngineGuest } from "../support/an-engine-guest.js";
import { READ, USER, WRITE } from "./reference-walker/access.js";
import { bit, bits } from "./reference-walker/bits.js";
import { NO_CPUID } from "./reference-walker/features.js";
import { type Shape, shapeOf } from "./reference-walker/modes.js";
import { loadPdptrs } from "./reference-walker/pdptrs.js";
import { AT_RESET, EFER_LMA, EFER_LME, EFER_NX } from "./reference-walker/registers.js";
import { reservedBits, reservedInPdpte } from "./reference-walker/reserved-bits.js";

const PRESENT = 1;
const RSVD = 8;
const LONG = EFER_LME | EFER_LMA;
const WITHOUT_NX = { registers: { efer: LONG } };

/** Single bits, bit 7 apart, whose presence in an entry at this level is called reserved. */
function found(
  mode: Shape["mode"],
  level: number,
  isLarge: boolean,
  making: Making = {},
  Guest: typeof AGuest = AGuest,
): bigint {
  const isLeaf = isLarge || level === 1;
  let mask = 0n;
  for (let n = 0; n < shapeOf(mode).entryBytes * 8; ++n) {
    if (n === 7 && level < 4) continue;
    const guest = new Guest(mode, making).map(PWU | FRAME | (isLarge ? LARGE : 0n), isLeaf ? level : 1);
    const at = guest.entryAt(level);
    guest.put(at, guest.load(at) | bit(n));
    if (((guest.code(READ) ?? 0) & RSVD) !== 0) mask |= bit(n);
  }
  return mask;
}

const BEYOND = 0x000f_ff00_0000_0000n;
const BEYOND_IN_PAE = 0x7fff_ff00_0000_0000n;

// A guest of 40 address bits, not AMD's, with NX and 1 GiB pages: the claim, and what it is about.
const rows: [string, Shape["mode"], number, boolean, bigint][] = [
  ["32-bit, level 1: an entry of 4 bytes reserves nothing", "32-bit", 1, false, 0n],
  ["32-bit, level 1: nor with bit 7, which is PAT there", "32-bit", 1, true, 0n],
  ["32-bit, level 2: nor does a link", "32-bit", 2, false, 0n],
  ["32-bit, level 2: a 4 MiB page reserves bits 21:17", "32-bit", 2, true, 0x3e_0000n],
  ["PAE, level 1: a page reserves 62:MAXPHYADDR", "pae", 1, false, BEYOND_IN_PAE],
  ["PAE, level 1: bit 7 is PAT and changes nothing", "pae", 1, true, BEYOND_IN_PAE],
  ["PAE, level 2: a link reserves 62:MAXPHYADDR", "pae", 2, false, BEYOND_IN_PAE],
  ["PAE, level 2: a 2 MiB page reserves bits 20:13, too", "pae", 2, true, BEYOND_IN_PAE | 0x1f_e000n],
  ["4-level, level 1: a page reserves 51:MAXPHYADDR", "4-level", 1, false, BEYOND],
  ["4-level, level 1: bit 7 is PAT and changes nothing", "4-level", 1, true, BEYOND],
  ["4-level, level 2: a link reserves 51:MAXPHYADDR", "4-level", 2, false, BEYOND],
  ["4-level, level 2: a 2 MiB page reserves bits 20:13, too", "4-level", 2, true, BEYOND | 0x1f_e000n],
  ["4-level, level 3: a link reserves 51:MAXPHYADDR", "4-level", 3, false, BEYOND],
  ["4-level, level 3: a 1 GiB page reserves bits 29:13, too", "4-level", 3, true, BEYOND | 0x3fff_e000n],
  ["4-level, level 4: bit 7 is reserved, too", "4-level", 4, false, BEYOND | LARGE],
  ["5-level, level 1: a page reserves 51:MAXPHYADDR", "5-level", 1, false, BEYOND],
  ["5-level, level 2: a 2 MiB page reserves bits 20:13, too", "5-level", 2, true, BEYOND | 0x1f_e000n],
  ["5-level, level 3: a 1 GiB page reserves bits 29:13, too", "5-level", 3, true, BEYOND | 0x3fff_e000n],
  ["5-level, level 4: bit 7 is reserved, too", "5-level", 4, false, BEYOND | LARGE],
  ["5-level, level 5: bit 7 is reserved, too", "5-level", 5, false, BEYOND | LARGE],
];

describe("one bit at a time", () => {
  test.each(rows)("%s", (_, mode, level, isLarge, mask) => {
    expect(found(mode, level, isLarge).toString(16)).toBe(mask.toString(16));
  });

  test.each(rows)("in the engine, too: %s", (_, mode, level, isLarge, mask) => {
    expect(found(mode, level, isLarge, {}, EngineGuest).toString(16)).toBe(mask.toString(16));
  });

  test("PAE, level 3: a root entry reserves 63, address bits, 8:5 and 2:1, with bit 7 and without", () => {
    const { memory, registers, features } = new AGuest("pae");
    for (const more of [0n, LARGE]) {
      const breaks = [...Array(64).keys()].filter((n) => {
        memory.store(registers.cr3, 1n | more | bit(n));
        return loadPdptrs(memory, registers, features) === undefined;
      });
      const mask = bits(63, 40) | bits(8, 5) | bits(2, 1);
      const expected = [...Array(64).keys()].filter((n) => more !== 0n || (mask & bit(n)) !== 0n);
      expect(breaks).toEqual(expected);
    }
  });

  test("bit 63 is reserved without EFER.NX in every entry of 8 bytes", () => {
    for (const [, mode, level, isLarge, mask] of rows) {
      const efer = mode === "pae" || mode === "32-bit" ? 0n : LONG;
      const more = mode === "32-bit" ? 0n : NX;
      expect(found(mode, level, isLarge, { registers: { efer } })).toBe(mask | more);
    }
  });

  test("bit 8 is reserved to AMD guests at levels 4 and 5 alone", () => {
    for (const [, mode, level, isLarge, mask] of rows) {
      const more = level >= 4 ? bit(8) : 0n;
      expect(found(mode, level, isLarge, { features: { isAmd: true } })).toBe(mask | more);
    }
  });

  test("a guest whose CPUID has no width has 36 address bits", () => {
    const making = { features: { maxphyaddr: undefined } };
    expect(found("4-level", 1, false, making)).toBe(0x000f_fff0_0000_0000n);
    expect(found("pae", 2, false, making)).toBe(0x7fff_fff0_0000_0000n);
  });

  test("stolen bits are not reserved in entries of 8 bytes", () => {
    const making = { features: { stolen: bit(47) } };
    expect(found("4-level", 1, false, making)).toBe(0x000f_7f00_0000_0000n);
    expect(found("pae", 1, false, making)).toBe(0x7fff_7f00_0000_0000n);
  });
});

// MAXPHYADDR, then the masks of a PDPTE of PAE, and of 2 MiB in PAE, 2 MiB and 1 GiB in long mode.
const widths: [number, bigint, bigint, bigint, bigint][] = [
  [36, 0xffff_fff0_0000_01e6n, 0x7fff_fff0_001f_e000n, 0x000f_fff0_001f_e000n, 0x000f_fff0_3fff_e000n],
  [39, 0xffff_ff80_0000_01e6n, 0x7fff_ff80_001f_e000n, 0x000f_ff80_001f_e000n, 0x000f_ff80_3fff_e000n],
  [46, 0xffff_c000_0000_01e6n, 0x7fff_c000_001f_e000n, 0x000f_c000_001f_e000n, 0x000f_c000_3fff_e000n],
  [48, 0xffff_0000_0000_01e6n, 0x7fff_0000_001f_e000n, 0x000f_0000_001f_e000n, 0x000f_0000_3fff_e000n],
  [52, 0xfff0_0000_0000_01e6n, 0x7ff0_0000_001f_e000n, 0x0000_0000_001f_e000n, 0x0000_0000_3fff_e000n],
];

test.each(widths)("masks of a guest with %i address bits", (maxphyaddr, pdpte, pae, twoMeg, oneGig) => {
  const features = { ...NO_CPUID, maxphyaddr, hasGigabytePages: true };
  const registers = { ...AT_RESET, efer: EFER_NX };
  const mask = (mode: Shape["mode"], level: number) =>
    reservedBits(shapeOf(mode), registers, features, level, true);
  expect(reservedInPdpte(features)).toBe(pdpte);
  expect([mask("pae", 2), mask("4-level", 2), mask("4-level", 3)]).toEqual([pae, twoMeg, oneGig]);
});

describe("by name", () => {
  test("an address bit beyond MAXPHYADDR 46 faults with P, RSVD and what the access was", () => {
    const guest = new AGuest("4-level", { features: { maxphyaddr: 46 } }).map(PWU | bit(46));
    expect(guest.code(READ)).toBe(PRESENT | RSVD);
    expect(guest.code(WRITE | USER)).toBe(PRESENT | RSVD | 6);
  });

  test("bit 12 of a 2 MiB entry is PAT and no address bit, bit 13 is reserved", () => {
    const guest = new AGuest("4-level").map(PWU | LARGE | FRAME | bit(12), 2);
    expect(guest.gpa(READ)).toBe(FRAME | (ADDRESS & bits(20, 0)));
    guest.map(PWU | LARGE | FRAME | bit(13), 2);
    expect(guest.code(READ)).toBe(PRESENT | RSVD);
  });

  test("bit 63 without EFER.NX faults as reserved, above the leaf too", () => {
    expect(new AGuest("4-level", WITHOUT_NX).map(PWU | NX).code(READ)).toBe(PRESENT | RSVD);
    const guest = new AGuest("4-level", WITHOUT_NX).map(PWU);
    guest.put(guest.entryAt(3), guest.load(guest.entryAt(3)) | NX);
    expect(guest.code(READ)).toBe(PRESENT | RSVD);
  });

  test("a 1 GiB entry is reserved to a guest whose CPUID lacks it", () => {
    const making = { features: { hasGigabytePages: false } };
    expect(new AGuest("4-level", making).map(PWU | LARGE, 3).code(READ)).toBe(PRESENT | RSVD);
    expect(new AGuest("4-level").map(PWU | LARGE, 3).gpa(READ)).toBe(ADDRESS & bits(29, 0));
  });

  test("bit 7 of a 4-byte directory entry is ignored without CR4.PSE", () => {
    const guest = new AGuest("32-bit", { registers: { cr4: 0n } }).map(PWU | FRAME);
    guest.put(guest.entryAt(2), guest.load(guest.entryAt(2)) | LARGE);
    expect(guest.gpa(READ)).toBe(FRAME | 0x123n);
    // Bits 21:17 are then the table's address: reserved in no such entry.
    guest.put(guest.entryAt(2), PWU | LARGE | bits(21, 17));
    expect(guest.code(READ)).toBe(0);
  });

  test("an entry that is not present breaks no rule", () => {
    expect(new AGuest("4-level").map(NX | bits(51, 40) | 6n).code(READ)).toBe(0);
  });

  test("a PDPTE of PAE is judged when it is loaded, not when it is walked", () => {
    const guest = new AGuest("pae").map(PWU | FRAME);
    guest.pdptrs[0] |= bit(1) | NX;
    expect(guest.gpa(READ)).toBe(FRAME | 0x123n);
    for (const [n, pdpte] of guest.pdptrs.entries()) guest.memory.store(0x8020n + BigInt(n) * 8n, pdpte);
    const registers = { ...guest.registers, cr3: 0x8020n };
    expect(loadPdptrs(guest.memory, registers, guest.features)).toBeUndefined();
    guest.memory.store(0x8020n, 0x2001n);
    expect(loadPdptrs(guest.memory, registers, guest.features)?.[0]).toBe(0x2001n);
    guest.memory.store(0x8028n, bit(63) | 6n);
    expect(loadPdptrs(guest.memory, registers, guest.features)?.[1]).toBe(bit(63) | 6n);
    expect(loadPdptrs(guest.memory, { ...registers, cr3: 0x20_0000n }, guest.features)).toBeUndefined();
  });
});
