/** What rights, control bits and keys forbid, and how the error code says so. */
import { describe, expect, test } from "vitest";
import { AGuest, FRAME, LARGE, NX, PWU } from "../support/a-guest.js";
import { FETCH, IMPLICIT, READ, USER, WRITE } from "./reference-walker/access.js";
import { isForbidden } from "./reference-walker/permissions.js";
import {
  AT_RESET,
  CR0_WP,
  CR4_PAE,
  CR4_PKE,
  CR4_SMAP,
  CR4_SMEP,
  EFER_LMA,
  EFER_LME,
  EFER_NX,
  RFLAGS_AC,
} from "./reference-walker/registers.js";

const LONG = EFER_LME | EFER_LMA;
const [SUPERVISOR_RW, USER_RO, SUPERVISOR_RO] = [3n, 5n, 1n];
const WP_OFF = { cr0: 0x8000_0001n };

const guestOf = (leaf: bigint, registers: object = {}) =>
  new AGuest("4-level", { registers }).map(FRAME | leaf);

// WP, SMEP, SMAP, NX; then a byte for each of W, U, RSVD and F: AC stands where RSVD would.
const tables: [number, number, number, number, string][] = [
  [1, 1, 1, 1, "f0 f3 0f 3f 00 33 0f 3f f5 f7 5f 7f f5 f7 5f 7f"],
  [0, 1, 1, 1, "f0 f0 0f 3f 00 00 0f 3f f5 f5 5f 7f f5 f5 5f 7f"],
  [1, 1, 0, 1, "00 33 0f 3f 00 33 0f 3f f5 f7 5f 7f f5 f7 5f 7f"],
  [1, 0, 0, 1, "00 33 0f 3f 00 33 0f 3f 55 77 5f 7f 55 77 5f 7f"],
  [0, 0, 0, 1, "00 00 0f 3f 00 00 0f 3f 55 55 5f 7f 55 55 5f 7f"],
  [0, 0, 0, 0, "00 00 0f 3f 00 00 0f 3f 00 00 0f 3f 00 00 0f 3f"],
];

test.each(tables)(
  "WP %i, SMEP %i, SMAP %i, NX %i forbid what KVM's table forbids",
  (wp, smep, smap, nx, bytes) => {
    const of = (is: number, mask: bigint): bigint => (is === 1 ? mask : 0n);
    const byteAt = (index: number): string => {
      const rflags = (index & 4) !== 0 ? RFLAGS_AC : 0n;
      const cr4 = of(smep, CR4_SMEP) | of(smap, CR4_SMAP);
      const registers = { ...AT_RESET, cr0: of(wp, CR0_WP), cr4, efer: of(nx, EFER_NX), rflags };
      const access = BigInt(index << 1) & (WRITE | USER | FETCH);
      let byte = 0;
      for (let acc = 0; acc < 8; ++acc) {
        const granted = { execute: (acc & 1) !== 0, write: (acc & 2) !== 0, user: (acc & 4) !== 0 };
        if (isForbidden(registers, granted, access)) byte |= 1 << acc;
      }
      return byte.toString(16).padStart(2, "0");
    };
    expect([...Array(16).keys()].map(byteAt).join(" ")).toBe(bytes);
  },
);

describe("rights", () => {
  test("a user neither reads, writes nor fetches a supervisor's page", () => {
    const guest = guestOf(SUPERVISOR_RW);
    expect([USER, USER | WRITE, USER | FETCH].map((each) => guest.code(each))).toEqual([5, 7, 0x15]);
    expect(guest.code(WRITE)).toBeUndefined();
  });

  test("a right must be in every entry on the way", () => {
    for (const level of [2, 3, 4]) {
      const guest = guestOf(PWU);
      const at = guest.entryAt(level);
      const entry = guest.load(at);
      guest.put(at, entry & ~4n);
      expect(guest.code(USER)).toBe(5);
      guest.put(at, entry & ~2n);
      expect(guest.code(WRITE)).toBe(3);
      guest.put(at, entry | NX);
      expect(guest.code(FETCH)).toBe(0x11);
    }
  });

  test("a user's write to a read-only page faults whatever CR0.WP says", () => {
    expect(guestOf(USER_RO).code(WRITE | USER)).toBe(7);
    expect(guestOf(USER_RO, WP_OFF).code(WRITE | USER)).toBe(7);
  });

  test("a supervisor writes a read-only page where CR0.WP is 0, but SMAP still asks", () => {
    expect(guestOf(SUPERVISOR_RO).code(WRITE)).toBe(3);
    expect(guestOf(USER_RO, WP_OFF).code(WRITE)).toBeUndefined();
    expect(guestOf(USER_RO, { ...WP_OFF, cr4: CR4_PAE | CR4_SMAP }).code(WRITE)).toBe(3);
  });

  test("a fetch heeds NX, a read does not", () => {
    expect(guestOf(PWU | NX).code(FETCH)).toBe(0x11);
    expect(guestOf(PWU | NX).code(FETCH | USER)).toBe(0x15);
    expect(guestOf(PWU | NX).code(READ)).toBeUndefined();
  });
});

describe("SMEP and SMAP", () => {
  test("SMEP keeps a supervisor from fetching a user's page, with F in the code though NX is off", () => {
    const guest = guestOf(PWU, { cr4: CR4_PAE | CR4_SMEP, efer: LONG });
    expect(guest.code(FETCH)).toBe(0x11);
    expect(guest.code(FETCH | USER)).toBeUndefined();
    expect(guest.code(READ)).toBeUndefined();
    expect(guestOf(SUPERVISOR_RW, { cr4: CR4_PAE | CR4_SMEP }).code(FETCH)).toBeUndefined();
  });

  test("SMAP keeps a supervisor's data accesses from a user's page, not its fetches", () => {
    const guest = guestOf(PWU, { cr4: CR4_PAE | CR4_SMAP });
    expect([READ, WRITE].map((each) => guest.code(each))).toEqual([1, 3]);
    expect([FETCH, USER, USER | WRITE].map((each) => guest.code(each))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("EFLAGS.AC lifts SMAP for explicit accesses and not for implicit ones", () => {
    const guest = guestOf(PWU, { cr4: CR4_PAE | CR4_SMAP, rflags: RFLAGS_AC });
    expect(guest.code(WRITE)).toBeUndefined();
    expect(guest.code(READ | IMPLICIT)).toBe(1);
    expect(guest.code(WRITE | IMPLICIT)).toBe(3);
  });

  test("a page is the user's only if every entry says so", () => {
    const guest = guestOf(PWU, { cr4: CR4_PAE | CR4_SMAP | CR4_SMEP });
    guest.put(guest.entryAt(3), guest.load(guest.entryAt(3)) & ~4n);
    expect([READ, WRITE, FETCH].map((each) => guest.code(each))).toEqual([undefined, undefined, undefined]);
  });
});

describe("error codes", () => {
  test("F is told only where NX or SMEP is on", () => {
    expect(guestOf(0n, { efer: LONG }).code(FETCH)).toBe(0);
    expect(guestOf(0n).code(FETCH)).toBe(0x10);
    expect(guestOf(0n, { efer: LONG, cr4: CR4_PAE | CR4_SMEP }).code(FETCH | USER)).toBe(0x14);
    expect(guestOf(SUPERVISOR_RW, { efer: LONG }).code(FETCH | USER)).toBe(5);
  });

  test("the record is vector 14 with the address as walked", () => {
    const address = 0xdead_0004_0040_3123n;
    const outcome = guestOf(SUPERVISOR_RW).access(USER, address);
    expect(outcome).toEqual({ fault: { vector: 14, errorCode: 5n, address, nested: false } });
  });
});

describe("protection keys", () => {
  const key = (n: bigint): bigint => n << 59n;
  const [AD, WD] = [1n, 2n];
  const keyed = (leaf: bigint, pkru: bigint, registers: object = {}) =>
    guestOf(leaf | key(5n), { cr4: CR4_PAE | CR4_PKE, pkru: pkru << 10n, ...registers });
  const PK = 0x20;

  test("AD forbids reads and writes of either side, with PK in the code", () => {
    const guest = keyed(PWU, AD);
    expect([READ, USER, WRITE, USER | WRITE].map((each) => guest.code(each))).toEqual([
      PK | 1,
      PK | 5,
      PK | 3,
      PK | 7,
    ]);
  });

  test("WD forbids writes, a supervisor's only where CR0.WP is 1", () => {
    expect([READ, USER].map((each) => keyed(PWU, WD).code(each))).toEqual([undefined, undefined]);
    expect([WRITE, USER | WRITE].map((each) => keyed(PWU, WD).code(each))).toEqual([PK | 3, PK | 7]);
    expect(keyed(PWU, WD, WP_OFF).code(WRITE)).toBeUndefined();
    expect(keyed(PWU, WD, WP_OFF).code(USER | WRITE)).toBe(PK | 7);
  });

  test("no key is asked for a fetch, for a supervisor's page, or without CR4.PKE", () => {
    expect(keyed(PWU, AD).code(FETCH | USER)).toBeUndefined();
    expect(keyed(SUPERVISOR_RW, AD).code(WRITE)).toBeUndefined();
    expect(keyed(PWU, AD, { cr4: CR4_PAE }).code(READ)).toBeUndefined();
  });

  test("the key is the last entry's, of a large page too", () => {
    const guest = keyed(PWU, AD);
    guest.put(guest.entryAt(1), FRAME | PWU | key(4n));
    expect(guest.code(READ)).toBeUndefined();
    guest.put(guest.entryAt(2), PWU | LARGE | key(5n));
    expect(guest.code(READ)).toBe(PK | 1);
  });

  test("PK is told beside what rights forbid as well", () => {
    expect(keyed(USER_RO, AD).code(USER | WRITE)).toBe(PK | 7);
    expect(keyed(USER_RO, 0n).code(USER | WRITE)).toBe(7);
  });
});
