/** What rights and control bits forbid, rule by rule, for every kind of page; and the rows of the checklist about walks. */
import { describe, expect, test } from "vitest";
import { ACCESSED, ADDRESS, AGuest, DIRTY, FRAME, LARGE, NX, PWU } from "../support/a-guest.js";
import { EngineEpt, EngineGuest } from "../support/an-engine-guest.js";
import { AnEpt, RWX, WB } from "../support/an-ept.js";
import { LONG_KINDS, mapped, PAGE_KINDS, type PageKind, WIDE_KINDS } from "../support/page-kinds.js";
import { FETCH, IMPLICIT, READ, USER, WRITE } from "./reference-walker/access.js";
import { bit, bits } from "./reference-walker/bits.js";
import {
  CR0_PE,
  CR0_PG,
  CR4_PKE,
  CR4_SMAP,
  CR4_SMEP,
  EFER_NX,
  RFLAGS_AC,
} from "./reference-walker/registers.js";

const [P, RSVD, PK] = [1, 8, 0x20];
const [SUPERVISOR_RW, USER_RO, SUPERVISOR_RO] = [3n, 5n, 1n];
const WITHOUT_WP = { cr0: CR0_PE | CR0_PG };
const ALLOWED = undefined;

const codes = (guest: AGuest, accesses: readonly bigint[]) => accesses.map((each) => guest.code(each));

/** The same with EFER.NX off. */
function withoutNx(guest: AGuest): AGuest {
  guest.registers = { ...guest.registers, efer: guest.registers.efer & ~EFER_NX };
  return guest;
}

const WALKERS = [
  ["the plain walker", AGuest, AnEpt],
  ["the engine", EngineGuest, EngineEpt],
] as const;

describe.each(WALKERS)("%s", (_name, TheGuest, TheEpt) => {
  const page = (kind: PageKind, entry?: bigint, making?: Parameters<typeof mapped>[3]) =>
    mapped(TheGuest, kind, entry, making);

  describe.each(PAGE_KINDS)("$name", (kind) => {
    test("what is not the user's keeps users out, and no supervisor", () => {
      expect(codes(page(kind, SUPERVISOR_RW), [USER, USER | WRITE, USER | FETCH])).toEqual([5, 7, 0x15]);
      expect(codes(page(kind, SUPERVISOR_RW), [READ, WRITE, FETCH])).toEqual([ALLOWED, ALLOWED, ALLOWED]);
    });

    test("a write without W faults for a user, and for a supervisor where CR0.WP is 1", () => {
      expect(codes(page(kind, USER_RO), [USER | WRITE, WRITE])).toEqual([7, 3]);
      expect(codes(page(kind, USER_RO, { registers: WITHOUT_WP }), [USER | WRITE, WRITE])).toEqual([
        7,
        ALLOWED,
      ]);
    });

    test("SMEP: a supervisor fetches no user's page, and reads it; a user fetches it", () => {
      const guest = page(kind, PWU, { registers: { cr4: CR4_SMEP } });
      expect(codes(guest, [FETCH, FETCH | USER, READ])).toEqual([P | 0x10, ALLOWED, ALLOWED]);
      expect(page(kind, SUPERVISOR_RW, { registers: { cr4: CR4_SMEP } }).code(FETCH)).toBe(ALLOWED);
    });

    test("SMAP: a supervisor's data accesses to a user's page fault, its fetches and a user's accesses do not", () => {
      const guest = page(kind, PWU, { registers: { cr4: CR4_SMAP } });
      expect(codes(guest, [READ, WRITE, FETCH, USER])).toEqual([P, P | 2, ALLOWED, ALLOWED]);
      expect(page(kind, SUPERVISOR_RW, { registers: { cr4: CR4_SMAP } }).code(READ)).toBe(ALLOWED);
    });

    test("SMAP is suspended by EFLAGS.AC, for accesses that the supervisor means", () => {
      const guest = page(kind, PWU, { registers: { cr4: CR4_SMAP, rflags: RFLAGS_AC } });
      expect(codes(guest, [READ, WRITE, READ | IMPLICIT, WRITE | IMPLICIT])).toEqual([
        ALLOWED,
        ALLOWED,
        P,
        P | 2,
      ]);
    });

    test("an absent page tells W, U and F of the access and no P; F only if NX or SMEP is on", () => {
      expect(codes(page(kind, 0n), [READ, WRITE | USER, FETCH])).toEqual([0, 6, 0x10]);
      expect(codes(withoutNx(page(kind, 0n)), [FETCH | USER])).toEqual([4]);
      expect(codes(withoutNx(page(kind, 0n, { registers: { cr4: CR4_SMEP } })), [FETCH])).toEqual([0x10]);
    });

    test("B81: without CR0.WP a supervisor writes a user's read-only page, unless SMAP forbids", () => {
      expect(page(kind, USER_RO, { registers: WITHOUT_WP }).code(WRITE)).toBe(ALLOWED);
      expect(page(kind, SUPERVISOR_RO, { registers: WITHOUT_WP }).code(WRITE)).toBe(ALLOWED);
      expect(page(kind, USER_RO, { registers: { ...WITHOUT_WP, cr4: CR4_SMAP } }).code(WRITE)).toBe(P | 2);
    });

    test("B82: under SMEP a supervisor's fetch of a user's page faults with F, though NX is off", () => {
      const guest = withoutNx(page(kind, PWU, { registers: { cr4: CR4_SMEP } }));
      expect(guest.code(FETCH)).toBe(P | 0x10);
    });

    test("B83: a page table in no slot is a fault without P", () => {
      const guest = page(kind);
      guest.memory.slots.clear();
      expect(codes(guest, [READ, WRITE, WRITE | USER, FETCH])).toEqual([0, 2, 6, 0x10]);
    });

    test("B84: a read of a clean page gives no W, sets Accessed and leaves Dirty alone", () => {
      const guest = page(kind);
      expect(guest.access(READ)).toMatchObject({ granted: { user: true, write: false, execute: true } });
      expect(guest.load(guest.entryAt(kind.level)) & (ACCESSED | DIRTY)).toBe(ACCESSED);
      guest.access(WRITE);
      expect(guest.access(READ)).toMatchObject({ granted: { write: true } });
      expect(guest.load(guest.entryAt(kind.level)) & (ACCESSED | DIRTY)).toBe(ACCESSED | DIRTY);
    });
  });

  describe.each(WIDE_KINDS)("$name, an entry of 8 bytes", (kind) => {
    test("a fetch without X faults where NX is on, a read does not", () => {
      expect(codes(page(kind, PWU | NX), [FETCH, FETCH | USER, READ])).toEqual([0x11, 0x15, ALLOWED]);
      expect(page(kind, PWU).code(FETCH)).toBe(ALLOWED);
    });

    test("B77: bit 46 set where MAXPHYADDR is 46 faults with P, RSVD and the access; bit 45 does not", () => {
      const features = { maxphyaddr: 46 };
      const guest = page(kind, PWU | bit(46), { features });
      expect(codes(guest, [READ, WRITE, USER | WRITE])).toEqual([P | RSVD, P | RSVD | 2, P | RSVD | 6]);
      expect(page(kind, PWU | bit(45), { features }).gpa(READ)).toBeGreaterThan(bit(45));
      expect(page(kind, PWU | bit(46), { features: { maxphyaddr: 47 } }).code(READ)).toBe(ALLOWED);
    });

    test("B80: bit 63 with EFER.NX off faults as reserved, in a link as well", () => {
      expect(codes(withoutNx(page(kind, PWU | NX)), [READ, WRITE])).toEqual([P | RSVD, P | RSVD | 2]);
      const guest = withoutNx(page(kind));
      const top = guest.entryAt(guest.shape.topLevel);
      guest.put(top, guest.load(top) | NX);
      expect(guest.code(READ)).toBe(P | RSVD);
    });
  });

  describe.each(WIDE_KINDS.filter(({ level }) => level > 1))("$name, a large page", (kind) => {
    test("B78: bit 12 is PAT and accepted, bit 13 is reserved", () => {
      const low = kind.level === 3 ? bits(29, 0) : bits(20, 0);
      expect(page(kind, PWU | bit(12)).gpa(READ)).toBe(FRAME | (ADDRESS & low));
      expect(page(kind, PWU | bit(13)).code(READ)).toBe(P | RSVD);
    });
  });

  test("B78: of a 4 MiB page bits 16:12 are PAT and address, bits 21:17 are reserved", () => {
    const kind = PAGE_KINDS[1] as PageKind;
    for (let n = 12; n <= 21; ++n)
      expect(page(kind, PWU | bit(n)).code(READ)).toBe(n > 16 ? P | RSVD : ALLOWED);
  });

  describe.each(LONG_KINDS)("$name, keys of long mode", (kind) => {
    const keyed = (entry: bigint, rights: bigint, registers: object = {}) =>
      page(kind, entry | (9n << 59n), { registers: { cr4: CR4_PKE, pkru: rights << 18n, ...registers } });

    test("AD keeps data accesses of both sides from a user's page, and PK tells so", () => {
      expect(codes(keyed(PWU, 1n), [READ, USER, WRITE])).toEqual([PK | 1, PK | 5, PK | 3]);
      expect(codes(keyed(PWU, 1n), [FETCH, FETCH | USER])).toEqual([ALLOWED, ALLOWED]);
      expect(keyed(SUPERVISOR_RW, 1n).code(READ)).toBe(ALLOWED);
    });

    test("WD keeps users' writes away, and a supervisor's where CR0.WP is 1", () => {
      expect(codes(keyed(PWU, 2n), [READ, USER | WRITE, WRITE])).toEqual([ALLOWED, PK | 7, PK | 3]);
      expect(codes(keyed(PWU, 2n, WITHOUT_WP), [USER | WRITE, WRITE])).toEqual([PK | 7, ALLOWED]);
    });

    test("no other key's rights are asked, and none without CR4.PKE", () => {
      const pkru = bits(31, 0) & ~(3n << 18n);
      expect(codes(keyed(PWU, 0n, { pkru }), [READ, USER | WRITE])).toEqual([ALLOWED, ALLOWED]);
      expect(page(kind, PWU | (9n << 59n), { registers: { pkru: bits(31, 0) } }).code(WRITE)).toBe(ALLOWED);
    });
  });

  test.each(PAGE_KINDS.filter(({ mode }) => mode === "32-bit" || mode === "pae"))(
    "$name: CR4.PKE outside long mode asks no key",
    (kind) => {
      const guest = page(kind, PWU, { registers: { cr4: CR4_PKE, pkru: bits(31, 0) } });
      expect(codes(guest, [READ, USER | WRITE])).toEqual([ALLOWED, ALLOWED]);
    },
  );

  describe("EPT", () => {
    const at = (entry: bigint, level = 1, making = {}) => new TheEpt(making).map(ADDRESS, entry | WB, level);

    test("B77: an address bit past MAXPHYADDR 46 is a misconfiguration", () => {
      const features = { maxphyaddr: 46 };
      expect(at(RWX | bit(46), 1, { features }).exit(ADDRESS, USER)).toBe("misconfiguration");
      expect(at(RWX | bit(45), 1, { features }).exit(ADDRESS, USER)).toBe(ALLOWED);
    });

    test("B79: bit 12 of a 2 MiB or 1 GiB page is a misconfiguration", () => {
      for (const level of [2, 3]) {
        expect(at(RWX | LARGE | bit(12), level).exit(ADDRESS, USER)).toBe("misconfiguration");
        expect(at(RWX | LARGE | FRAME, level).exit(ADDRESS, USER)).toBe(ALLOWED);
      }
    });

    test("B80: bit 63 is no NX and not reserved", () => {
      expect(at(RWX | FRAME | NX).exit(ADDRESS, FETCH)).toBe(ALLOWED);
    });

    test("B83: a table in no slot is a violation without P", () => {
      const ept = at(RWX | FRAME);
      ept.memory.slots.clear();
      expect(ept.fault(ADDRESS, USER)).toMatchObject({ exit: "violation", errorCode: 4n });
    });

    test("B84: a read of a clean page sets Accessed alone, where L1 asked for marks", () => {
      const ept = at(RWX | FRAME, 1, { marks: true });
      expect(ept.fault(ADDRESS, USER)).toBe(ALLOWED);
      expect(ept.memory.load(ept.entryAt(1, ADDRESS)) & 0x300n).toBe(0x100n);
    });
  });
});

// The engine tells what a guest's own tables grant, and of those beneath only whether they refuse.
test("B84: EPT grants no W to who reads a clean page", () => {
  const ept = new AnEpt({ marks: true }).map(ADDRESS, RWX | FRAME | WB);
  expect(ept.walk(ADDRESS, USER)).toMatchObject({ granted: { user: true, write: false } });
});
