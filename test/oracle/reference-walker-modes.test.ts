/** Every kind of tables: how an address is cut, where a table lies, what a hole reads as. */
import { describe, expect, test } from "vitest";
import { ADDRESS, AGuest, FRAME, LARGE, PWU } from "../support/a-guest.js";
import { FETCH, READ, USER, WRITE } from "./reference-walker/access.js";
import { bit, bits } from "./reference-walker/bits.js";
import { NO_CPUID } from "./reference-walker/features.js";
import { GuestMemory } from "./reference-walker/guest-memory.js";
import type { Shape } from "./reference-walker/modes.js";
import { AT_RESET, CR4_LA57, CR4_PAE, EFER_LMA, EFER_LME } from "./reference-walker/registers.js";
import type { TableMemory } from "./reference-walker/table-memory.js";
import { walk } from "./reference-walker/walk.js";

const MODES: Shape["mode"][] = ["32-bit", "pae", "4-level", "5-level"];
const REFERENCES = { "32-bit": 2, pae: 2, "4-level": 4, "5-level": 5 };

/** Counts what a walk reads. */
function counting(memory: TableMemory): { readonly memory: TableMemory; readonly reads: bigint[] } {
  const reads: bigint[] = [];
  const read = (gpa: bigint, bytes: 4 | 8) => {
    reads.push(gpa);
    return memory.read(gpa, bytes);
  };
  return {
    memory: { read, exchange: memory.exchange.bind(memory), markDirty: memory.markDirty.bind(memory) },
    reads,
  };
}

describe("paging off", () => {
  const registers = { ...AT_RESET, cr0: 0x11n };
  const at = (address: bigint) =>
    walk({ registers, features: NO_CPUID }, new GuestMemory(), address, WRITE | USER);

  test("an address is its own, of any width", () => {
    expect(at(0xfeed_0000_0000_1234n)).toMatchObject({
      gpa: 0xfeed_0000_0000_1234n,
      gfn: 0xfeed_0000_0000_1n,
    });
  });

  test("the address of all ones reads as none", () => {
    expect(at((1n << 64n) - 1n)).toEqual({ fault: undefined });
  });
});

describe.each(MODES)("%s tables", (mode) => {
  test("an address is cut into indexes and offset, one entry read a level", () => {
    const guest = new AGuest(mode).map(PWU | FRAME);
    const { memory, reads } = counting(guest.memory);
    expect(guest.access(READ, ADDRESS, memory)).toMatchObject({ gpa: FRAME | 0x123n, level: 1 });
    expect(reads).toHaveLength(REFERENCES[mode]);
  });

  test("the same place one bit of the address apart is another entry", () => {
    const guest = new AGuest(mode).map(PWU | FRAME);
    const top = { "32-bit": 31, pae: 31, "4-level": 47, "5-level": 56 }[mode];
    for (let n = 12; n <= top; ++n) expect(guest.code(READ, ADDRESS ^ bit(n))).toBe(0);
  });

  test("bits above the topmost index have no say: nobody asks whether an address is canonical", () => {
    const guest = new AGuest(mode).map(PWU | FRAME);
    const above = { "32-bit": 32, pae: 32, "4-level": 48, "5-level": 57 }[mode];
    for (let n = above; n < 64; ++n) expect(guest.gpa(READ, ADDRESS ^ bit(n))).toBe(FRAME | 0x123n);
  });

  test("a table outside every slot, in KVM's own slot or closed to the process reads as not present", () => {
    for (const harm of ["gone", "hidden", "closed"] as const) {
      const guest = new AGuest(mode).map(PWU | FRAME);
      const slot = guest.memory.slots.get(0);
      if (harm === "gone" || slot === undefined) guest.memory.slots.clear();
      else if (harm === "hidden") guest.memory.slots.set(0, { ...slot, isHidden: true });
      else guest.memory.protections.set(guest.entryAt(1) >> 12n, "none");
      expect([READ, WRITE | USER, FETCH].map((each) => guest.code(each))).toEqual([0, 6, 0x10]);
    }
  });

  test("the last entry may point past every slot: the walk does not look there", () => {
    const frame = 0xfff0_0000n;
    expect(new AGuest(mode).map(PWU | frame).gpa(WRITE)).toBe(frame | 0x123n);
  });
});

describe("frames", () => {
  const large: [Shape["mode"], number, number][] = [
    ["32-bit", 2, 21],
    ["pae", 2, 20],
    ["4-level", 2, 20],
    ["4-level", 3, 29],
    ["5-level", 2, 20],
    ["5-level", 3, 29],
  ];
  test.each(large)("%s, a leaf at level %i keeps the address's bits %i:0", (mode, level, top) => {
    const guest = new AGuest(mode).map(PWU | LARGE | FRAME, level);
    expect(guest.access(READ)).toMatchObject({ gpa: FRAME | (ADDRESS & bits(top, 0)), level });
  });

  test("PSE-36 takes bits 35:32 from bits 16:13 of a 4 MiB entry, whatever CPUID says", () => {
    const guest = new AGuest("32-bit").map(PWU | LARGE | FRAME | bits(16, 12), 2);
    expect(guest.gpa(READ)).toBe(0xf_0000_0000n | FRAME | (ADDRESS & bits(21, 0)));
    guest.map(PWU | LARGE | FRAME | bit(14), 2);
    expect(guest.gpa(READ)).toBe(0x2_0000_0000n | FRAME | (ADDRESS & bits(21, 0)));
  });

  test("an entry of 8 bytes holds address bits 51:12, one of 4 bytes 31:12", () => {
    const wide = { features: { maxphyaddr: 52 } };
    expect(new AGuest("4-level", wide).map(PWU | bits(51, 12)).gpa(READ)).toBe(bits(51, 12) | 0x123n);
    expect(new AGuest("pae", wide).map(PWU | bits(51, 12)).gpa(READ)).toBe(bits(51, 12) | 0x123n);
    expect(new AGuest("32-bit", wide).map(PWU | bits(31, 12)).gpa(READ)).toBe(bits(31, 12) | 0x123n);
  });

  test("flags in CR3 are no address, nor are ignored bits and keys of an entry", () => {
    const guest = new AGuest("4-level").map(PWU | FRAME | bits(62, 52) | bits(11, 9));
    guest.registers = { ...guest.registers, cr3: guest.registers.cr3 | 0xfffn };
    expect(guest.gpa(READ)).toBe(FRAME | 0x123n);
  });
});

describe("PAE's root", () => {
  test("is what the vCPU loaded, by bits 31:30; an absent one is not present", () => {
    const guest = new AGuest("pae").map(PWU | FRAME).map(PWU, 1, ADDRESS | bits(31, 30));
    guest.registers = { ...guest.registers, cr3: 0xdead_0000n };
    expect([0n, 1n, 2n, 3n].map((n) => guest.code(USER, (ADDRESS & bits(29, 0)) | (n << 30n)))).toEqual([
      undefined,
      4,
      4,
      undefined,
    ]);
  });
});

describe("depth", () => {
  test("CR4.LA57 outside long mode changes nothing; in it a fifth table is read", () => {
    const guest = new AGuest("pae").map(PWU | FRAME);
    guest.registers = { ...guest.registers, cr4: CR4_PAE | CR4_LA57 };
    expect(guest.gpa(READ)).toBe(FRAME | 0x123n);
    const deep = new AGuest("5-level").map(PWU | FRAME);
    deep.registers = { ...deep.registers, cr4: CR4_PAE };
    expect(deep.gpa(READ)).not.toBe(FRAME | 0x123n);
  });

  test("long mode without PAE is no mode", () => {
    const guest = new AGuest("4-level", { registers: { cr4: 0n, efer: EFER_LME | EFER_LMA } });
    expect(() => guest.access(READ)).toThrow("long mode without CR4.PAE");
  });
});

describe("stolen bits", () => {
  const stolen = { features: { maxphyaddr: 47, stolen: bit(47) } };

  test.each(["pae", "4-level", "5-level"] as const)(
    "%s entries carry them to the address and not to the gfn",
    (mode) => {
      const guest = new AGuest(mode, stolen).map(PWU | FRAME | bit(47));
      expect(guest.access(READ)).toMatchObject({ gpa: bit(47) | FRAME | 0x123n, gfn: FRAME >> 12n });
    },
  );

  test("a table is read at its address without them", () => {
    const guest = new AGuest("4-level", stolen).map(PWU | FRAME);
    guest.put(guest.entryAt(3), guest.load(guest.entryAt(3)) | bit(47));
    expect(guest.gpa(READ)).toBe(FRAME | 0x123n);
  });
});
