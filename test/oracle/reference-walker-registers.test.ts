/** Registers that userspace may not set, as KVM_SET_SREGS judges them. */
import { describe, expect, test } from "vitest";
import { bit, bits } from "./reference-walker/bits.js";
import { NO_CPUID } from "./reference-walker/features.js";
import { mayBeSet } from "./reference-walker/set-registers.js";

const features = { ...NO_CPUID, maxphyaddr: 40, stolen: bit(47) };
const [PE, NW, CD, PG] = [bit(0), bit(29), bit(30), bit(31)];
const [LME, LMA] = [bit(8), bit(10)];
const PAE = bit(5);

const long = { cr0: PE | PG, cr3: 0x1000n, cr4: PAE, efer: LME | LMA, isCode64: true };
const legacy = { cr0: PE | PG, cr3: 0n, cr4: 0n, efer: 0n, isCode64: false };
const accepts = (asked: typeof long, cr4Allowed = bits(11, 0)): boolean =>
  mayBeSet(asked, features, cr4Allowed);

describe("accepted", () => {
  test("long mode with PAE and LMA, and any mode without EFER.LME", () => {
    expect(accepts(long)).toBe(true);
    expect(accepts({ ...long, isCode64: false })).toBe(true);
    expect(accepts(legacy)).toBe(true);
    expect(accepts({ ...legacy, cr4: PAE })).toBe(true);
  });

  test("EFER.LME while paging is off, if LMA is clear", () => {
    expect(accepts({ ...legacy, cr0: PE, efer: LME })).toBe(true);
    expect(accepts({ ...legacy, cr0: PE, efer: LME | LMA })).toBe(false);
  });
});

describe("refused", () => {
  test("long mode without PAE or LMA", () => {
    expect(accepts({ ...long, cr4: 0n })).toBe(false);
    expect(accepts({ ...long, efer: LME })).toBe(false);
  });

  test("a root beyond the guest's addresses, in long mode alone; a stolen bit is no excuse", () => {
    for (const n of [40, 47, 51, 63]) {
      expect(accepts({ ...long, cr3: bit(n) })).toBe(false);
      expect(accepts({ ...legacy, cr3: bit(n) })).toBe(true);
    }
    expect(accepts({ ...long, cr3: bit(39) })).toBe(true);
  });

  test("LMA or 64-bit code outside long mode", () => {
    expect(accepts({ ...legacy, efer: LMA })).toBe(false);
    expect(accepts({ ...legacy, isCode64: true })).toBe(false);
  });

  test("paging without protection, not-write-through without cache disable, a high half of CR0", () => {
    expect(accepts({ ...legacy, cr0: PG })).toBe(false);
    expect(accepts({ ...legacy, cr0: PE | NW })).toBe(false);
    expect(accepts({ ...legacy, cr0: PE | NW | CD })).toBe(true);
    expect(accepts({ ...legacy, cr0: PE | bit(32) })).toBe(false);
  });

  test("a bit of CR4 that this guest does not have", () => {
    expect(accepts({ ...long, cr4: PAE | bit(20) })).toBe(false);
    expect(accepts({ ...long, cr4: PAE | bit(20) }, bits(20, 0))).toBe(true);
  });
});
