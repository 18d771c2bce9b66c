/** The model's memslots: refusals in KVM's order, generations, what a change does to mappings. */
import { describe, expect, test } from "vitest";
import { access, aRegion, aVm, GiB, HVA, KiB, MiB, refusal, withSlot } from "./reference/builders.js";
import { fitsSlot } from "./reference/huge-pages.js";
import type { Slot } from "./reference/memslots.js";
import { LOG_DIRTY, READ, READONLY, type Region, WRITE } from "./reference/types.js";

describe("memslots", () => {
  test("a slot may end on the last frame and not one later", () => {
    const vm = aVm();
    const end = 2 ** 48;
    expect(refusal(() => vm.setMemslot(aRegion({ gpa: end - 4 * KiB, bytes: 8 * KiB })))).toBe(
      "ERR_MEMSLOT_BEYOND_MAX EINVAL",
    );
    expect(refusal(() => vm.setMemslot(aRegion({ gpa: end - 4 * KiB, bytes: 4 * KiB })))).toBe("accepted");
  });

  test.each<[string, Partial<Region>]>([
    ["ERR_MEMSLOT_ID EINVAL", { slot: 32764, flags: 8, bytes: 1 }],
    ["ERR_MEMSLOT_FLAGS EINVAL", { flags: 4, bytes: 1 }],
    ["ERR_MEMSLOT_SIZE EINVAL", { bytes: 1, gpa: 1 }],
    ["ERR_MEMSLOT_GPA EINVAL", { gpa: 1, hva: 1 }],
    ["ERR_MEMSLOT_HVA EINVAL", { hva: 1, slot: 2 * 65536 }],
    ["ERR_MEMSLOT_HVA EINVAL", { hva: 2 ** 56 - 8 * KiB, bytes: 8 * KiB }],
    [
      "ERR_MEMSLOT_ADDRESS_SPACE EINVAL",
      { slot: 2 * 65536, gpa: 2 ** 64 - 4 * KiB, hva: HVA, bytes: 8 * KiB },
    ],
    ["ERR_MEMSLOT_WRAPS EINVAL", { gpa: 2 ** 64 - 4 * KiB, hva: HVA, bytes: 2 ** 43 }],
    ["ERR_MEMSLOT_TOO_LARGE EINVAL", { bytes: 2 ** 43 }],
    ["ERR_MEMSLOT_MISSING EINVAL", { bytes: 0 }],
  ])("the first thing wrong decides: %s", (expected, region) => {
    expect(refusal(() => aVm().setMemslot(aRegion(region)))).toBe(expected);
  });

  test("a host of 46 bits ends user space at 2^47 less a page", () => {
    const vm = aVm({ addressBits: 46, hostMaxphyaddr: 46 });
    const hva = 2 ** 47 - 3 * 4 * KiB;
    expect(refusal(() => vm.setMemslot(aRegion({ hva, bytes: 12 * KiB })))).toBe("ERR_MEMSLOT_HVA EINVAL");
    expect(refusal(() => vm.setMemslot(aRegion({ hva, bytes: 8 * KiB })))).toBe("accepted");
  });

  test("an unaligned size is refused before the overlap", () => {
    const vm = withSlot();
    expect(refusal(() => vm.setMemslot(aRegion({ slot: 1, bytes: 5000 })))).toBe("ERR_MEMSLOT_SIZE EINVAL");
    expect(refusal(() => vm.setMemslot(aRegion({ slot: 1 })))).toBe("ERR_MEMSLOT_OVERLAP EEXIST");
  });

  test("the same request again changes nothing, not even the generation", () => {
    const vm = withSlot();
    expect(vm.setMemslot(aRegion()).sptesChanged).toBe(0);
    expect(vm.generation(0)).toBe(2);
  });

  test.each<[string, Partial<Region>]>([
    ["read-only", { flags: READONLY }],
    ["host address", { hva: HVA + 4 * KiB }],
    ["size", { bytes: 4 * MiB }],
  ])("a slot's %s never changes", (_, change) => {
    expect(refusal(() => withSlot().setMemslot(aRegion(change)))).toBe("ERR_MEMSLOT_IMMUTABLE EINVAL");
  });

  test("each set's generation steps by two, twice for a delete, and apart from the other's", () => {
    const vm = withSlot();
    expect([vm.generation(0), vm.generation(1)]).toEqual([2, 1]);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    expect(vm.generation(0)).toBe(4);
    vm.setMemslot(aRegion({ slot: 65536 }));
    expect([vm.generation(0), vm.generation(1)]).toEqual([4, 3]);
    vm.setMemslot(aRegion({ bytes: 0 }));
    expect([vm.generation(0), vm.generation(1)]).toEqual([8, 3]);
  });

  test("a move that overlaps keeps the mappings", () => {
    const vm = withSlot();
    vm.setMemslot(aRegion({ slot: 1, gpa: 4 * MiB }));
    access(vm, 0, WRITE);
    expect(refusal(() => vm.setMemslot(aRegion({ gpa: 3 * MiB, hva: HVA })))).toBe(
      "ERR_MEMSLOT_OVERLAP EEXIST",
    );
    expect(vm.leaves({ mmio: true })).toHaveLength(1);
    expect(vm.generation(0)).toBe(4);
  });

  test("a move beyond the last frame drops the mappings, keeps the slot and takes two steps", () => {
    const vm = withSlot();
    access(vm, 0, WRITE);
    expect(refusal(() => vm.setMemslot(aRegion({ gpa: 2 ** 48, hva: HVA })))).toBe(
      "ERR_MEMSLOT_BEYOND_MAX EINVAL",
    );
    expect(vm.leaves({ mmio: true })).toEqual([]);
    expect(vm.tables().roots).toBe(0);
    expect(vm.generation(0)).toBe(6);
    expect(vm.slot(0)?.base).toBe(0);
  });

  test("what was dirty in a slot is still dirty after a move, at the same offset", () => {
    const vm = withSlot({ flags: LOG_DIRTY });
    access(vm, 8 * KiB, WRITE);
    vm.setMemslot(aRegion({ gpa: 4 * MiB, hva: HVA, flags: LOG_DIRTY }));
    expect(vm.takeDirtyLog(0)).toEqual({ pages: [2], sptesChanged: 0 });
  });

  test("a delete drops every root, of slots that stay too", () => {
    const vm = withSlot();
    vm.setMemslot(aRegion({ slot: 1, gpa: 4 * MiB }));
    access(vm, 4 * MiB, READ);
    access(vm, GiB, READ);
    expect(vm.setMemslot(aRegion({ bytes: 0 })).sptesChanged).toBe(2);
    expect(vm.tables()).toEqual({ roots: 0, byLevel: [0, 0, 0, 0, 0, 0] });
  });

  test("a generation that wraps takes every mapping with it", () => {
    const vm = withSlot();
    access(vm, 0, WRITE);
    const untilWrap = 2 ** 18 - 1;
    for (let step = 1; step < untilWrap; step++)
      vm.setMemslot(aRegion({ slot: 1, gpa: GiB, flags: step % 2 === 1 ? 0 : LOG_DIRTY }));
    expect(vm.leaves({ mmio: false })).toHaveLength(1);
    vm.setMemslot(aRegion({ slot: 1, gpa: GiB, flags: untilWrap % 2 === 1 ? 0 : LOG_DIRTY }));
    expect(vm.generation(0)).toBe(2 ** 19);
    expect(vm.leaves({ mmio: false })).toEqual([]);
  });
});

describe("which sizes a slot allows", () => {
  const levels = (base: number, pages: number, hva: number): number[] => {
    const slot: Slot = {
      ...{ slot: 0, asId: 0, base, pages, hva, backing: 3, readonly: false, logged: false, hasMemfd: false },
      ...{ dirty: undefined, owner: "user" },
    };
    return Array.from({ length: Math.ceil((base + pages) / 512) - Math.floor(base / 512) }, (_, i) => {
      const frame = Math.max(base, (Math.floor(base / 512) + i) * 512);
      return [3, 2].find((level) => fitsSlot(slot, frame, level)) ?? 1;
    });
  };

  test("2M entries that the slot does not fill are not huge", () => {
    expect(levels(0x100, 0x1000, 0x7f0000100000)).toEqual([1, 2, 2, 2, 2, 2, 2, 2, 1]);
    expect(levels(0, 0xa0, 0x7f0000000000)).toEqual([1]);
  });

  test("host addresses that are not congruent allow no huge page", () => {
    expect(levels(0x100, 0x1000, 0x7f0000000000)).toEqual(Array(9).fill(1));
    expect(levels(0x200, 0x400, 0x7f0000201000)).toEqual([1, 1]);
  });

  test("a slot of aligned gigabytes allows 1G", () => {
    expect(levels(0x200, 0x400, 0x7f0000200000)).toEqual([2, 2]);
    expect(levels(0x100000, 0x40000, 0x7f0040000000)).toEqual(Array(512).fill(3));
  });
});
