/** The model's dirty logging, against what is known of KVM, case by case. */
import { describe, expect, test } from "vitest";
import {
  access,
  aLeaf,
  aRegion,
  GiB,
  KiB,
  MiB,
  operate,
  refusal,
  treeOf,
  withSlot,
} from "./reference/builders.js";
import { LOG_DIRTY, READ, READONLY, WRITE } from "./reference/types.js";

describe("dirty logging", () => {
  test("a protected page is fixed by the fast path; the dirty bit of the entry stays as it was", () => {
    const vm = withSlot({ flags: LOG_DIRTY });
    access(vm, 0, READ);
    expect(operate(vm, "dirty-log-get").sptesChanged).toBe(1);
    expect(vm.leaves({ mmio: false })[0]?.spte).toBe(0x8600000000000b75n);
    expect(access(vm, 0, READ).result).toBe("hit");
    expect(access(vm, 0, WRITE)).toMatchObject({ result: "fixed", level: 1, tablesRead: 4, sptesChanged: 1 });
    expect(vm.stats()).toMatchObject({ pf_taken: 2, pf_fixed: 2, pf_fast: 1 });
    expect(vm.takeDirtyLog(0).pages).toEqual([0]);
  });

  test("a log taken twice holds nothing the second time and protects nothing", () => {
    const vm = withSlot({ flags: LOG_DIRTY });
    access(vm, 4 * KiB, WRITE);
    expect(vm.takeDirtyLog(0)).toEqual({ pages: [1], sptesChanged: 1 });
    expect(vm.takeDirtyLog(0)).toEqual({ pages: [], sptesChanged: 0 });
  });

  test("a slot without a log has none to give", () => {
    expect(refusal(() => withSlot().takeDirtyLog(0))).toBe("ERR_NO_DIRTY_LOG ENOENT");
  });

  test("a huge leaf that logging finds is split, each half-written page protected", () => {
    const vm = withSlot({ backing: 2 });
    access(vm, 0, WRITE);
    expect(vm.setMemslot(aRegion({ flags: LOG_DIRTY })).sptesChanged).toBe(1 + 512);
    expect(vm.stats()).toMatchObject({ pages_4k: 512, pages_2m: 0 });
    expect(access(vm, 511 * 4 * KiB, WRITE)).toMatchObject({ result: "fixed", level: 1, sptesChanged: 1 });
    expect(vm.stats().pf_fast).toBe(1);
    expect(vm.takeDirtyLog(0).pages).toEqual([511]);
  });

  test("a protected huge leaf of a logged slot is split by the write that meets it", () => {
    const vm = withSlot({ flags: LOG_DIRTY, backing: 2 });
    const slot = vm.slot(0);
    if (slot === undefined) throw new Error("no slot");
    access(vm, 0, READ);
    treeOf(vm).put(aLeaf({ level: 2, pfn: 0, w: false }));
    expect(access(vm, 4 * KiB, WRITE)).toMatchObject({
      result: "fixed",
      level: 1,
      tablesRead: 3,
      sptesChanged: 2,
    });
    expect(vm.stats()).toMatchObject({ pf_fast: 0, pages_4k: 512, pages_2m: 0 });
  });

  test("a gigabyte takes 1 + 512 splits", () => {
    const vm = withSlot({ bytes: GiB, backing: 3 });
    expect(access(vm, 0, WRITE).level).toBe(3);
    expect(vm.setMemslot(aRegion({ bytes: GiB, flags: LOG_DIRTY })).sptesChanged).toBe(1 + 512 + 512 * 512);
    expect(vm.tables().byLevel).toEqual([0, 512, 1, 1, 1, 0]);
    expect(vm.setMemslot(aRegion({ bytes: GiB })).sptesChanged).toBe(1);
    expect(vm.stats()).toMatchObject({ pages_4k: 0, pages_2m: 0, pages_1g: 1 });
  });

  test("when logging stops, a table becomes a huge leaf that says what its first leaf said", () => {
    const vm = withSlot({ backing: 2 });
    access(vm, 0, WRITE);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    expect(vm.setMemslot(aRegion()).sptesChanged).toBe(1);
    expect(vm.stats()).toMatchObject({ pages_4k: 0, pages_2m: 1 });
    expect(vm.leaves({ mmio: false })[0]?.spte).toBe(0x8600000000000bf5n);
    expect(access(vm, 4 * KiB, WRITE)).toMatchObject({
      result: "fixed",
      level: 2,
      tablesRead: 3,
      sptesChanged: 1,
    });
    expect(vm.stats().pf_fast).toBe(1);
  });

  test("when logging stops, a table without leaves stays a table", () => {
    const vm = withSlot({ flags: LOG_DIRTY, backing: 2 });
    access(vm, 0, WRITE);
    operate(vm, "zap", 0, 2 * MiB);
    expect(vm.setMemslot(aRegion()).sptesChanged).toBe(0);
    expect(vm.tables().byLevel[1]).toBe(1);
  });

  test("logging of a read-only slot splits, protects and recovers nothing", () => {
    const vm = withSlot({ flags: READONLY, backing: 2 });
    access(vm, 0, READ);
    expect(vm.setMemslot(aRegion({ flags: READONLY + LOG_DIRTY })).sptesChanged).toBe(0);
    expect(vm.setMemslot(aRegion({ flags: READONLY })).sptesChanged).toBe(0);
    expect(vm.stats().pages_2m).toBe(1);
  });

  test("logging of another address space touches no mapping", () => {
    const vm = withSlot({ backing: 2 });
    vm.setMemslot(aRegion({ slot: 65536 }));
    access(vm, 0, WRITE);
    expect(vm.setMemslot(aRegion({ slot: 65536, flags: LOG_DIRTY })).sptesChanged).toBe(0);
    expect(vm.stats().pages_2m).toBe(1);
  });
});
