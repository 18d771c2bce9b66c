/** The model's iTLB workaround, and the limit on shadow pages: tables that go to make room. */
import { describe, expect, test } from "vitest";
import { access, aRegion, GiB, KiB, MiB, operate, refusal, withSlot } from "./reference/builders.js";
import { FETCH, LOG_DIRTY, READ, WRITE } from "./reference/types.js";
import type { ReferenceMmu } from "./reference-mmu.js";

const PAGE = 4 * KiB;
const X = 4n;
const executable = (vm: ReferenceMmu) => vm.leaves({ mmio: false }).map(({ spte }) => (spte & X) !== 0n);
const waiting = (vm: ReferenceMmu) => vm.stats()["nx_lpage_splits"];

describe.each(["tdp", "rmap"] as const)("huge pages that must not be executed, flavour %s", (mmu) => {
  const aVmWith = (bytes: number) => withSlot({ bytes, backing: 2 }, { mmu, host: { nxHugePages: true } });

  test("data has them, without X; code has small ones", () => {
    const vm = aVmWith(4 * MiB);
    expect(access(vm, 0, READ).level).toBe(2);
    expect(access(vm, 2 * MiB, FETCH).level).toBe(1);
    expect([waiting(vm), executable(vm)[0], executable(vm)[1]]).toEqual([1, false, true]);
    expect(access(vm, 2 * MiB, WRITE)).toMatchObject({ result: "hit", level: 1 });
    expect(access(vm, 3 * MiB, WRITE).level).toBe(1);
  });

  test("a fetch from one makes a table of it, which stays until the worker comes", () => {
    const vm = aVmWith(2 * MiB);
    access(vm, 0, READ);
    expect(access(vm, 0, FETCH)).toMatchObject({
      result: mmu === "tdp" ? "spurious" : "fixed",
      level: 1,
    });
    expect(executable(vm)[0]).toBe(true);
    expect(operate(vm, "nx-recover")).toMatchObject({ flush: "full", result: "done" });
    expect([waiting(vm), vm.leaves({ mmio: false }).length]).toEqual([0, 0]);
    expect(access(vm, 0, READ).level).toBe(2);
    expect(operate(vm, "nx-recover")).toMatchObject({ flush: "none", sptesChanged: 0 });
  });

  test("the worker takes one in sixty, the oldest first", () => {
    const vm = aVmWith(124 * MiB);
    vm.setMmuPages(200);
    for (let i = 0; i < 62; i++) access(vm, i * 2 * MiB, FETCH);
    expect(waiting(vm)).toBe(62);
    operate(vm, "nx-recover");
    expect(waiting(vm)).toBe(60);
    expect(vm.leaves({ mmio: false })[0]?.gpa).toBe(4 * MiB);
    operate(vm, "nx-recover");
    expect(waiting(vm)).toBe(59);
  });

  test("in a logged slot a table only stops waiting", () => {
    const vm = aVmWith(2 * MiB);
    access(vm, 0, FETCH);
    vm.setMemslot(aRegion({ backing: 2, flags: LOG_DIRTY }));
    expect(operate(vm, "nx-recover")).toMatchObject({ flush: "none", sptesChanged: 0 });
    expect(waiting(vm)).toBe(0);
  });

  test("a table made for a fetch where nothing huge could be does not wait", () => {
    const vm = withSlot({ bytes: PAGE, backing: 2 }, { mmu, host: { nxHugePages: true } });
    access(vm, 0, FETCH);
    expect(waiting(vm)).toBe(0);
  });
});

test("splitting gives X back, and growing takes it", () => {
  const vm = withSlot({ backing: 2 }, { host: { nxHugePages: true } });
  access(vm, 0, READ);
  vm.setMemslot(aRegion({ backing: 2, flags: LOG_DIRTY }));
  expect(executable(vm).every(Boolean)).toBe(true);
  vm.setMemslot(aRegion({ backing: 2 }));
  expect(executable(vm)).toEqual([false]);
});

describe("shadow pages", () => {
  const spread = (pages: number) => {
    const vm = withSlot({ bytes: GiB }, { mmu: "rmap", limitsPages: true });
    vm.setMmuPages(pages);
    return vm;
  };

  test("stay while five are free, and no longer", () => {
    const vm = spread(64);
    for (let i = 0; i < 57; i++) access(vm, i * 2 * MiB, READ);
    expect(vm.stats()).toMatchObject({ mmu_cache_miss: 60, mmu_recycled: 0 });
    access(vm, 0, WRITE);
    access(vm, 57 * 2 * MiB, READ);
    expect(vm.stats()).toMatchObject({ mmu_recycled: 21 });
  });

  test("make room for 25 at once, with one full flush, and never take a root", () => {
    const vm = spread(64);
    for (let i = 0; i < 57; i++) access(vm, i * 2 * MiB, READ);
    expect(vm.tableList()).toHaveLength(60);
    expect(access(vm, 57 * 2 * MiB, READ)).toMatchObject({ result: "fixed", flush: "full" });
    expect(vm.stats()).toMatchObject({ mmu_recycled: 21, mmu_shadow_zapped: 21 });
    expect(vm.tables().roots).toBe(1);
  });

  test("fewer than 64 are not to be had, and those above a new limit go", () => {
    const vm = spread(200);
    expect(refusal(() => vm.setMmuPages(63))).toBe("ERR_MMU_PAGES EINVAL");
    for (let i = 0; i < 97; i++) access(vm, i * 2 * MiB, READ);
    vm.setMmuPages(64);
    expect(vm.tableList()).toHaveLength(64);
    expect(vm.stats()).toMatchObject({ mmu_recycled: 36, remote_tlb_flush_requests: 1 });
  });

  test("are one for fifty pages of memory, at least 64, until userspace says otherwise", () => {
    const vm = withSlot({ bytes: 16 * MiB }, { mmu: "rmap", limitsPages: true });
    expect(vm.state.pageLimit.most).toBe(81);
    vm.setMemslot(aRegion({ bytes: 0 }));
    expect(vm.state.pageLimit.most).toBe(64);
    vm.setMmuPages(70);
    vm.setMemslot(aRegion({ bytes: 16 * MiB }));
    expect(vm.state.pageLimit.most).toBe(70);
  });
});
