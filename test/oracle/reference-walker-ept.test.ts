/** L1's EPT: which entries are misconfigured, which accesses are violations, and what is marked. */
import { describe, expect, test } from "vitest";
import { AnEpt, type EptMaking, RWX, WB } from "../support/an-ept.js";
import { FETCH, IMPLICIT, USER, WRITE } from "./reference-walker/access.js";
import { bit, bits } from "./reference-walker/bits.js";
import { isForbiddenByEpt, reservedInEpt } from "./reference-walker/ept-rules.js";
import { NO_CPUID } from "./reference-walker/features.js";
import { LOG_ENTRIES } from "./reference-walker/page-modification-log.js";

const ADDRESS = 0x4_0040_3123n;
const FRAME = 0x8000_0000n;
const LARGE = bit(7);
/** What EPT takes for a read. */
const READ = USER;
const LEAF = RWX | WB | FRAME;

/** Single bits above the rights, bit 7 apart, that make a sound entry at this level a misconfiguration. */
function found(level: number, isLarge: boolean, making: EptMaking = {}): bigint {
  let mask = 0n;
  for (let n = 3; n < 64; ++n) {
    if (n === 7 && level < 4) continue;
    const ept = new AnEpt(making).map(ADDRESS, RWX | FRAME | (isLarge ? LARGE : 0n), isLarge ? level : 1);
    const at = ept.entryAt(level, ADDRESS);
    ept.memory.store(at, ept.memory.load(at) | bit(n));
    if (ept.exit(ADDRESS, READ) === "misconfiguration") mask |= bit(n);
  }
  return mask;
}

const BEYOND_40 = bits(51, 40);
// Bit 4 alone is memory type 2.
const BAD_TYPE = bit(4);

describe("reserved bits of a guest of 40 address bits", () => {
  const five = { levels: 5 } as const;
  test("EPT, level 5: address bits past MAXPHYADDR and bits 7:3", () => {
    expect(found(5, false, five)).toBe(BEYOND_40 | bits(7, 3));
  });
  test("EPT, level 4: the same as level 5, under four tables or five", () => {
    expect(found(4, false)).toBe(BEYOND_40 | bits(7, 3));
    expect(found(4, false, five)).toBe(BEYOND_40 | bits(7, 3));
  });
  test("EPT, level 3: a link reserves bits 6:3, a 1 GiB page bits 29:12 and no memory type but 2, 3 and 7", () => {
    expect(found(3, false)).toBe(BEYOND_40 | bits(6, 3));
    expect(found(3, true)).toBe(BEYOND_40 | bits(29, 12) | BAD_TYPE);
  });
  test("EPT, level 2: a link reserves bits 6:3, a 2 MiB page bits 20:12", () => {
    expect(found(2, false)).toBe(BEYOND_40 | bits(6, 3));
    expect(found(2, true)).toBe(BEYOND_40 | bits(20, 12) | BAD_TYPE);
  });
  test("EPT, level 1: nothing but address bits past MAXPHYADDR, bit 7 or not", () => {
    expect(found(1, false)).toBe(BEYOND_40 | BAD_TYPE);
    const ept = new AnEpt().map(ADDRESS, LEAF | LARGE);
    expect(ept.walk(ADDRESS, READ)).toMatchObject({ gpa: FRAME | 0x123n, level: 1 });
  });
  test("EPT, levels 3 and 2: bit 7 is reserved where L1 has no such page size", () => {
    const [noGiga, noMega] = [{ oneGigabyte: false }, { twoMegabytes: false }];
    const exit = (capabilities: object, level: number) =>
      new AnEpt({ capabilities }).map(ADDRESS, RWX | WB | LARGE, level).exit(ADDRESS, READ);
    expect([exit(noGiga, 3), exit(noGiga, 2)]).toEqual(["misconfiguration", undefined]);
    expect([exit(noMega, 3), exit(noMega, 2)]).toEqual([undefined, "misconfiguration"]);
  });
  test("EPT: bits 63:52 and a stolen bit: the first are ignored, the second is reserved as any other", () => {
    expect(new AnEpt().map(ADDRESS, LEAF | bits(63, 52)).exit(ADDRESS, READ)).toBeUndefined();
    expect(found(1, false, { features: { stolen: bit(47) } })).toBe(BEYOND_40 | BAD_TYPE);
  });
});

// MAXPHYADDR, then the masks of a 2 MiB page and of level 4.
test.each([
  [36, 0x000f_fff0_001f_f000n, 0x000f_fff0_0000_00f8n],
  [39, 0x000f_ff80_001f_f000n, 0x000f_ff80_0000_00f8n],
  [46, 0x000f_c000_001f_f000n, 0x000f_c000_0000_00f8n],
  [48, 0x000f_0000_001f_f000n, 0x000f_0000_0000_00f8n],
  [52, 0x0000_0000_001f_f000n, 0x0000_0000_0000_00f8n],
])("masks of EPT with %i address bits", (maxphyaddr, twoMeg, levelFour) => {
  const features = { ...NO_CPUID, maxphyaddr };
  const all = { executeOnly: true, twoMegabytes: true, oneGigabyte: true };
  expect(reservedInEpt(features, all, 2, true)).toBe(twoMeg);
  expect(reservedInEpt(features, all, 4, false)).toBe(levelFour);
});

describe("bits 5:0", () => {
  const exits = (word: (n: bigint) => bigint, making?: EptMaking) =>
    [...Array(8).keys()].filter(
      (n) => new AnEpt(making).map(ADDRESS, FRAME | word(BigInt(n))).exit(ADDRESS, 0n) === "misconfiguration",
    );

  test("EPT, memory type: 2, 3 and 7 are misconfigured", () => {
    expect(exits((n) => RWX | (n << 3n))).toEqual([2, 3, 7]);
  });

  test("EPT, rights: to write without reading is misconfigured; to execute alone too, unless L1 may", () => {
    expect(exits((n) => n | WB)).toEqual([2, 6]);
    expect(exits((n) => n | WB, { capabilities: { executeOnly: false } })).toEqual([2, 4, 6]);
  });

  test("a link is judged as a leaf is", () => {
    for (const rights of [2n, 6n]) {
      const ept = new AnEpt().map(ADDRESS, LEAF);
      const at = ept.entryAt(3, ADDRESS);
      ept.memory.store(at, (ept.memory.load(at) & ~RWX) | rights);
      expect(ept.exit(ADDRESS, READ)).toBe("misconfiguration");
    }
  });

  test("an entry without R, W and X is absent and breaks no rule, whatever else it holds", () => {
    const ept = new AnEpt().map(ADDRESS, ~RWX & bits(63, 0));
    expect(ept.exit(ADDRESS, READ)).toBe("0x1");
  });
});

describe("rights", () => {
  const exits = (rights: bigint) => {
    const ept = new AnEpt().map(ADDRESS, FRAME | WB | rights);
    return [READ, WRITE, FETCH].map((access) => ept.exit(ADDRESS, access));
  };

  test("EPT, fetch: X is asked, and no NX, SMEP or key", () => {
    expect(exits(3n)).toEqual([undefined, undefined, "0x1c"]);
    expect(exits(4n)[2]).toBeUndefined();
  });
  test("EPT, write: W is asked, whatever CR0.WP says", () => {
    expect(exits(1n)).toEqual([undefined, "0xa", "0xc"]);
  });
  test("EPT, read: R is asked where the access says USER", () => {
    expect(exits(4n)).toEqual(["0x21", "0x22", undefined]);
  });
  test("EPT: an implicit access is as any other: there is no SMAP", () => {
    expect(new AnEpt().map(ADDRESS, LEAF).exit(ADDRESS, READ | IMPLICIT)).toBeUndefined();
  });

  test("a fetch that also says USER asks for R too: KVM's own walk has no other way", () => {
    expect(new AnEpt().map(ADDRESS, FRAME | WB | 4n).exit(ADDRESS, FETCH | USER)).toBe("0x25");
  });

  // A byte for each of W, U, RSVD and F: bits are X, W and R together, as 1, 2 and 4.
  test("EPT forbids what KVM's table forbids", () => {
    const byteAt = (index: number): string => {
      const access = BigInt(index << 1) & (WRITE | USER | FETCH);
      let byte = 0;
      for (let acc = 0; acc < 8; ++acc) {
        const granted = { execute: (acc & 1) !== 0, write: (acc & 2) !== 0, user: (acc & 4) !== 0 };
        if (isForbiddenByEpt(granted, access)) byte |= 1 << acc;
      }
      return byte.toString(16).padStart(2, "0");
    };
    const table = "00 33 0f 3f 00 33 0f 3f 55 77 5f 7f 55 77 5f 7f";
    expect([...Array(16).keys()].map(byteAt).join(" ")).toBe(table);
  });
});

describe("the exit", () => {
  test("a violation tells the access in bits 2:0 and the rights of all entries together in 5:3", () => {
    const ept = new AnEpt().map(ADDRESS, FRAME | WB | 5n);
    const at = ept.entryAt(2, ADDRESS);
    ept.memory.store(at, ept.memory.load(at) & ~4n);
    expect(ept.fault(ADDRESS, WRITE | READ)).toEqual({
      vector: 14,
      errorCode: 7n,
      address: ADDRESS,
      nested: true,
      exit: "violation",
      qualification: 0b001_011n,
    });
  });

  test("what was not there leaves no right; a table that cannot be read leaves those above it", () => {
    const ept = new AnEpt().map(ADDRESS, LEAF);
    expect(ept.exit(ADDRESS + 0x1000n, READ)).toBe("0x1");
    ept.memory.store(ept.entryAt(2, ADDRESS), 0x200_0000n | 3n);
    expect(ept.exit(ADDRESS, READ)).toBe("0x19");
    ept.memory.slots.clear();
    expect(ept.exit(ADDRESS, WRITE)).toBe("0x3a");
  });

  test("a misconfiguration has RSVD in the code and no qualification", () => {
    const ept = new AnEpt().map(ADDRESS, LEAF | bit(40));
    expect(ept.fault(ADDRESS, READ)).toMatchObject({
      errorCode: 0xdn,
      exit: "misconfiguration",
      qualification: 0n,
    });
  });
});

describe("addresses", () => {
  test.each([4, 5] as const)(
    "%i tables: each bit that chooses an entry counts, those above do not",
    (levels) => {
      const top = 12 + 9 * levels;
      const ept = new AnEpt({ levels }).map(ADDRESS, LEAF);
      for (let n = 12; n < top; ++n) expect(ept.exit(ADDRESS ^ bit(n), READ)).toBe("0x1");
      for (let n = top; n < 64; ++n) expect(ept.exit(ADDRESS ^ bit(n), READ)).toBeUndefined();
    },
  );

  test("a 2 MiB page keeps bits 20:0 of the address, a 1 GiB page 29:0", () => {
    const gpa = (level: number) =>
      new AnEpt().map(ADDRESS, RWX | WB | LARGE | FRAME, level).walk(ADDRESS, READ);
    expect(gpa(2)).toMatchObject({ gpa: FRAME | (ADDRESS & bits(20, 0)), level: 2 });
    expect(gpa(3)).toMatchObject({ gpa: FRAME | (ADDRESS & bits(29, 0)), level: 3 });
  });
});

describe("marks", () => {
  const entries = (ept: AnEpt) => [4, 3, 2, 1].map((n) => ept.memory.load(ept.entryAt(n, ADDRESS)) & 0x360n);

  test("are bits 8 and 9, set only if L1 asked for them in its root pointer", () => {
    const plain = new AnEpt().map(ADDRESS, LEAF);
    plain.walk(ADDRESS, WRITE);
    expect(entries(plain)).toEqual([0n, 0n, 0n, 0x20n]);
    const marking = new AnEpt({ marks: true }).map(ADDRESS, LEAF);
    marking.walk(ADDRESS, READ);
    expect(entries(marking)).toEqual([0x100n, 0x100n, 0x100n, 0x120n]);
    marking.walk(ADDRESS, WRITE | READ);
    expect(entries(marking)).toEqual([0x100n, 0x100n, 0x100n, 0x320n]);
    expect(marking.memory.dirtied).toHaveLength(5);
  });

  test("W is kept back from a clean page where they are asked for, and from none elsewhere", () => {
    const granted = (marks: boolean, more = 0n) =>
      new AnEpt({ marks }).map(ADDRESS, LEAF | more).walk(ADDRESS, READ);
    expect(granted(false)).toMatchObject({ granted: { write: true } });
    expect(granted(true)).toMatchObject({ granted: { user: true, write: false, execute: true } });
    expect(granted(true, bit(9))).toMatchObject({ granted: { write: true } });
  });

  test("the log is written before Dirty, by page, once", () => {
    const ept = new AnEpt({ marks: true, logs: true }).map(ADDRESS, LEAF);
    ept.walk(ADDRESS, READ);
    expect(ept.log.pages).toEqual([]);
    for (let n = 0; n < 3; ++n) ept.walk(ADDRESS, WRITE);
    expect(ept.log.pages).toEqual([ADDRESS & ~0xfffn]);
  });

  test("a full log keeps Dirty from being set and is its own exit; Accessed stays set above", () => {
    const ept = new AnEpt({ marks: true, logs: true }).map(ADDRESS, LEAF);
    for (let n = 0; n < LOG_ENTRIES; ++n) ept.log.add(0n);
    expect(ept.fault(ADDRESS, WRITE)).toMatchObject({ exit: "log-full", errorCode: 2n });
    expect(entries(ept)).toEqual([0x100n, 0x100n, 0x100n, 0x20n]);
    expect(ept.exit(ADDRESS, READ)).toBeUndefined();
  });

  test("tables in a read-only slot stay unmarked in silence, and the write is logged all the same", () => {
    const ept = new AnEpt({ marks: true, logs: true }).map(ADDRESS, LEAF);
    const slot = ept.memory.slots.get(0);
    if (slot !== undefined) ept.memory.slots.set(0, { ...slot, isReadOnly: true });
    expect(ept.walk(ADDRESS, WRITE)).toMatchObject({ gpa: FRAME | 0x123n, granted: { write: true } });
    expect(entries(ept)).toEqual([0n, 0n, 0n, 0x20n]);
    expect(ept.log.pages).toHaveLength(1);
  });

  test("tables closed to the process' writes fail the walk as absent, with the rights that it had", () => {
    const ept = new AnEpt({ marks: true }).map(ADDRESS, LEAF);
    ept.memory.protections.set(ept.entryAt(2, ADDRESS) >> 12n, "ro");
    expect(ept.fault(ADDRESS, WRITE)).toMatchObject({
      errorCode: 2n,
      exit: "violation",
      qualification: 0x3an,
    });
  });
});
