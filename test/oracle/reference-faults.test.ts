/** The model's faults, against what is known of KVM, case by case. */
import { describe, expect, test } from "vitest";
import { access, aRegion, aVm, GiB, KiB, MiB, operate, treeOf, withSlot } from "./reference/builders.js";
import { renderMmio } from "./reference/spte.js";
import { FETCH, READ, READONLY, WRITE } from "./reference/types.js";

describe("faults", () => {
  test("a first touch makes three links and a leaf", () => {
    const vm = withSlot();
    expect(access(vm, 0, READ)).toMatchObject({ result: "fixed", level: 1, tablesRead: 1, sptesChanged: 4 });
    expect(access(vm, 0, WRITE)).toMatchObject({ result: "hit", level: 1, tablesRead: 4, sptesChanged: 0 });
    expect(vm.tables()).toEqual({ roots: 1, byLevel: [0, 1, 1, 1, 1, 0] });
  });

  test("a fifth level is one more table", () => {
    const vm = withSlot({}, { addressBits: 52, rootLevel: 5, hostMaxphyaddr: 52 });
    expect(access(vm, 0, READ).sptesChanged).toBe(5);
    expect(access(vm, 0, READ).tablesRead).toBe(5);
  });

  test("a write to a read-only slot is emulated and maps nothing; a read maps it so", () => {
    const vm = withSlot({ flags: READONLY });
    expect(access(vm, 0, WRITE)).toMatchObject({
      result: "emulate",
      level: 0,
      tablesRead: 1,
      sptesChanged: 0,
    });
    expect(vm.leaves({ mmio: true })).toEqual([]);
    access(vm, 0, READ);
    expect(vm.leaves({ mmio: true })).toEqual([{ gpa: 0, level: 1, spte: 0x8000000000000975n }]);
    expect(access(vm, 0, WRITE)).toMatchObject({ result: "emulate", sptesChanged: 0, tablesRead: 4 });
    expect(access(vm, 0, FETCH).result).toBe("hit");
  });

  test("a hole is counted once and then known, frame 0 included", () => {
    const vm = aVm();
    expect(access(vm, 0, READ)).toMatchObject({ result: "emulate", sptesChanged: 4 });
    const once = { pf_taken: 1, pf_emulate: 1, pf_mmio_spte_created: 1, pf_fixed: 0, pages_4k: 0 };
    expect(vm.stats()).toMatchObject(once);
    expect(access(vm, 0, WRITE)).toMatchObject({
      result: "emulate",
      level: 0,
      tablesRead: 4,
      sptesChanged: 0,
    });
    expect(vm.stats()).toMatchObject(once);
  });

  test("a slot change makes a known hole a fault again, in the same address space only", () => {
    const vm = aVm();
    access(vm, 0, READ);
    vm.setMemslot(aRegion({ slot: 65536 + 1, gpa: GiB }));
    expect(access(vm, 0, READ).sptesChanged).toBe(0);
    vm.setMemslot(aRegion({ slot: 1, gpa: GiB }));
    expect(access(vm, 0, READ)).toMatchObject({ result: "emulate", sptesChanged: 1 });
    expect(vm.stats()).toMatchObject({ pf_taken: 2, pf_emulate: 2, pf_mmio_spte_created: 2 });
    expect(vm.leaves({ mmio: true })).toEqual([{ gpa: 0, level: 1, spte: renderMmio(0, 2) }]);
  });

  test("a slot over a known hole is mapped at its next access", () => {
    const vm = aVm();
    access(vm, 0, READ);
    vm.setMemslot(aRegion());
    expect(access(vm, 0, READ)).toMatchObject({ result: "fixed", level: 1, tablesRead: 4, sptesChanged: 1 });
  });

  test("a huge leaf takes the place of the table that a hole left", () => {
    const vm = aVm();
    access(vm, 4 * KiB, READ);
    vm.setMemslot(aRegion({ backing: 2 }));
    expect(access(vm, 0, READ)).toMatchObject({ result: "fixed", level: 2, tablesRead: 4, sptesChanged: 1 });
    expect(vm.leaves({ mmio: true })).toHaveLength(1);
    expect(vm.tables().byLevel[1]).toBe(0);
  });

  test("a zap takes whole leaves that meet the range, and leaves tables and MMIO entries", () => {
    const vm = withSlot({ backing: 2 });
    access(vm, 0, READ);
    access(vm, 4 * MiB, READ);
    expect(operate(vm, "zap", 2 * MiB - 4 * KiB, 4 * MiB).sptesChanged).toBe(1);
    expect(vm.leaves({ mmio: true })).toHaveLength(1);
    expect(vm.tables().byLevel).toEqual([0, 1, 1, 1, 1, 0]);
    expect(operate(vm, "zap-all-fast").sptesChanged).toBe(1);
    expect(vm.tables().roots).toBe(0);
  });

  test("another page's leaf in place of a present one is an error", () => {
    const vm = withSlot({ flags: READONLY });
    access(vm, 0, READ);
    const leaf = treeOf(vm).leavesIn(0, 1)[0];
    if (leaf === undefined) throw new Error("no leaf");
    treeOf(vm).put({ ...leaf, pfn: 7, r: false });
    expect(access(vm, 0, READ)).toMatchObject({ result: "error", sptesChanged: 0 });
  });
});
