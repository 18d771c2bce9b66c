/** The model's flavour rmap: tables that outlive their links, lists of leaves, neighbours mapped ahead. */
import { describe, expect, test } from "vitest";
import { access, aRegion, aVm, KiB, MiB, operate, withSlot } from "./reference/builders.js";
import { LOG_DIRTY, READ, READONLY, WRITE } from "./reference/types.js";

const PAGE = 4 * KiB;
const rmap = { mmu: "rmap" } as const;

describe("neighbours of a fault", () => {
  test("are mapped with it, up to eight, not yet accessed", () => {
    const vm = withSlot({}, rmap);
    expect(access(vm, 3 * PAGE, WRITE)).toMatchObject({ result: "fixed", sptesChanged: 3 + 8 });
    expect(vm.leaves({ mmio: false }).map(({ spte }) => spte % 0x1000n)).toEqual(
      Array.from({ length: 8 }, (_, i) => (i === 3 ? 0xb77n : 0xa77n)),
    );
    expect(access(vm, 4 * PAGE, READ)).toMatchObject({ result: "hit", sptesChanged: 0 });
  });

  test.each([
    ["read-only", READONLY],
    ["logged", LOG_DIRTY],
  ])("are left alone in a slot that is %s", (_, flags) => {
    const vm = withSlot({ flags }, rmap);
    expect(access(vm, 0, READ)).toMatchObject({ result: "fixed", sptesChanged: 3 + 1 });
  });

  test("stop at a run that leaves the slot, and what follows is not looked at", () => {
    const vm = withSlot({ gpa: 2 * PAGE, bytes: 4 * PAGE }, rmap);
    expect(access(vm, 4 * PAGE, READ)).toMatchObject({ sptesChanged: 3 + 1 });
    expect(access(vm, 2 * PAGE, READ)).toMatchObject({ sptesChanged: 1 });
  });

  test("of a hole may be a slot's", () => {
    const vm = withSlot({ bytes: 4 * PAGE }, rmap);
    expect(access(vm, 4 * PAGE, READ)).toMatchObject({ result: "emulate", sptesChanged: 3 + 1 + 4 });
  });
});

describe("shadow pages", () => {
  test("a table under a huge leaf's place stays, found again when it is needed", () => {
    const vm = withSlot({ backing: 2 }, rmap);
    vm.setMemslot(aRegion({ slot: 1, gpa: 4 * MiB, flags: LOG_DIRTY, backing: 2 }));
    access(vm, 4 * MiB, WRITE);
    vm.setMemslot(aRegion({ slot: 1, gpa: 4 * MiB, backing: 2 }));
    expect(access(vm, 4 * MiB, WRITE)).toMatchObject({
      result: "fixed",
      level: 2,
      sptesChanged: 2,
      flush: "full",
    });
    expect([vm.tables().byLevel[1], vm.stats().mmu_cache_miss]).toEqual([1, 4]);
    expect(vm.tableList().find(({ level }) => level === 1)?.parents).toBe(0);
    vm.setMemslot(aRegion({ slot: 1, gpa: 4 * MiB, backing: 2, flags: LOG_DIRTY }));
    expect(access(vm, 4 * MiB, WRITE)).toMatchObject({ result: "fixed", level: 1, sptesChanged: 3 });
    expect([vm.tables().byLevel[1], vm.stats().mmu_cache_miss]).toEqual([1, 4]);
  });

  test("dropping them all is one full flush, the root included in the count", () => {
    const vm = withSlot({}, rmap);
    access(vm, 0, READ);
    expect(operate(vm, "zap-all-fast")).toMatchObject({ sptesChanged: 8, flush: "full" });
    expect(vm.stats()).toMatchObject({ mmu_shadow_zapped: 4, pages_4k: 0 });
    expect(vm.tables().roots).toBe(0);
    expect(operate(vm, "zap-all-fast").flush).toBe("none");
  });

  test("a zap goes by slots: a hole's entry stays", () => {
    const vm = aVm(rmap);
    access(vm, 0, READ);
    vm.setMemslot(aRegion({ gpa: 2 * MiB }));
    access(vm, 2 * MiB, READ);
    expect(operate(vm, "zap", 0, 4 * MiB)).toMatchObject({ sptesChanged: 8, flush: "full" });
    expect(vm.leaves({ mmio: true })).toHaveLength(1);
  });

  test("the list of a page grows by one for each alias", () => {
    const vm = withSlot({ bytes: PAGE }, { ...rmap, policy: "stolen-bits", preset: "bits:46,47" });
    for (const alias of [0, 1, 2, 3]) access(vm, alias * 2 ** 46, READ);
    expect([vm.rmapCount(0), vm.stats().max_mmu_rmap_size]).toEqual([4, 3]);
  });
});

describe("logging", () => {
  test("does not split: W goes, and the first write drops the huge leaf", () => {
    const vm = withSlot({ backing: 2 }, rmap);
    access(vm, 0, WRITE);
    expect(vm.setMemslot(aRegion({ backing: 2, flags: LOG_DIRTY })).sptesChanged).toBe(1);
    expect(access(vm, PAGE, READ)).toMatchObject({ result: "hit", level: 2 });
    expect(access(vm, PAGE, WRITE)).toMatchObject({ result: "fixed", level: 1, sptesChanged: 2 + 1 });
    expect(vm.stats()).toMatchObject({ pages_2m: 0, pages_4k: 1, pf_fast: 0 });
  });

  test("leaves, when it stops, what could be larger: zapped", () => {
    const vm = withSlot({ backing: 2, flags: LOG_DIRTY }, rmap);
    access(vm, 0, WRITE);
    expect(vm.setMemslot(aRegion({ backing: 2 }))).toMatchObject({ sptesChanged: 1, flush: "full" });
    expect(access(vm, 0, WRITE)).toMatchObject({ result: "fixed", level: 2 });
  });
});
