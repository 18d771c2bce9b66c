/** The model's dirty rings, against what is known of KVM, case by case. */
import { describe, expect, test } from "vitest";
import { access, aRegion, aVm, HVA, KiB, MiB, operate, refusal } from "./reference/builders.js";
import { windowsOf } from "./reference/dirty-ring.js";
import { LOG_DIRTY, READ, type ReferenceConfig, type Region, WRITE } from "./reference/types.js";
import type { ReferenceMmu } from "./reference-mmu.js";

const RING = 192;
const PAGE = 4 * KiB;

function withRing(config: Partial<ReferenceConfig> = {}, region: Partial<Region> = {}): ReferenceMmu {
  const vm = aVm({ vcpus: 0, ...config });
  vm.enableCap(RING, 0, config.host?.pml ? 4 * PAGE : PAGE);
  vm.createVcpu(0);
  vm.createVcpu(1);
  vm.setMemslot(aRegion({ flags: LOG_DIRTY, ...region }));
  return vm;
}

describe("a ring", () => {
  test.each([
    [0, "ERR_CAPABILITY EINVAL"],
    [100, "ERR_CAPABILITY EINVAL"],
    [3 * PAGE, "ERR_CAPABILITY EINVAL"],
    [PAGE / 2, "ERR_CAPABILITY EINVAL"],
    [2 * MiB, "ERR_RING_TOO_LARGE E2BIG"],
    [MiB, "accepted"],
  ])("of %i bytes is %s", (bytes, expected) => {
    const vm = aVm({ vcpus: 0 });
    expect(refusal(() => vm.enableCap(RING, 0, bytes))).toBe(expected);
  });

  test("has room for a whole page-modification log besides", () => {
    const vm = aVm({ vcpus: 0, host: { pml: true } });
    expect(refusal(() => vm.enableCap(RING, 0, 2 * PAGE))).toBe("ERR_CAPABILITY EINVAL");
    expect(refusal(() => vm.enableCap(RING, 0, 4 * PAGE))).toBe("accepted");
  });

  test("comes before the first vCPU, once, whatever the flags say", () => {
    const vm = aVm({ vcpus: 0 });
    expect(refusal(() => vm.enableCap(RING, 7, PAGE))).toBe("accepted");
    expect(refusal(() => vm.enableCap(RING, 0, PAGE))).toBe("ERR_CAPABILITY EINVAL");
    expect(refusal(() => aVm().enableCap(RING, 0, PAGE))).toBe("ERR_CAPABILITY EINVAL");
  });

  test("takes the bitmap's place: there is none to get or clear", () => {
    const vm = withRing();
    expect(refusal(() => vm.takeDirtyLog(0))).toBe("ERR_DIRTY_RING ENXIO");
    expect(refusal(() => vm.clearDirtyLog(99, { first: 1, count: 1, isAsked: () => true }))).toBe(
      "ERR_DIRTY_RING ENXIO",
    );
  });

  test("is the vCPU's that faults, and holds a page as often as it became dirty", () => {
    const vm = withRing();
    vm.apply({ kind: "access", gpa: PAGE, bytes: 0, access: WRITE, vcpu: 1 });
    access(vm, 0, READ);
    vm.guestWrite(2 * PAGE - 4, 8, 1);
    expect(vm.collectRing(0)).toEqual([{ slot: 0, page: 0 }]);
    expect(vm.collectRing(1, 2).map(({ page }) => page)).toEqual([1, 1]);
    expect(vm.collectRing(1).map(({ page }) => page)).toEqual([2]);
  });

  test("gives back what was collected, and nothing else, for one full flush", () => {
    const vm = withRing();
    access(vm, 0, WRITE);
    access(vm, PAGE, WRITE);
    expect(vm.resetRings()).toMatchObject({ entries: 0, sptesChanged: 0 });
    vm.collectRing(0);
    access(vm, 2 * PAGE, WRITE);
    expect(vm.resetRings()).toMatchObject({ entries: 2, sptesChanged: 2 });
    expect(vm.state.flush.full).toBe(1);
    expect(access(vm, PAGE, WRITE)).toMatchObject({ result: "fixed", sptesChanged: 1 });
    expect(vm.collectRing(0).map(({ page }) => page)).toEqual([2, 1]);
  });

  test("is refused a reset where there is none, and an event of that kind is an error", () => {
    expect(refusal(() => aVm().resetRings())).toBe("ERR_NO_DIRTY_RING EINVAL");
    expect(operate(aVm(), "dirty-ring-reset")).toMatchObject({ result: "error", flush: "none" });
  });

  test("passes over a slot that is gone, and a window that the slot no longer holds, and counts them", () => {
    const vm = withRing();
    vm.setMemslot(aRegion({ slot: 1, flags: LOG_DIRTY, gpa: 4 * MiB, hva: 2 * HVA }));
    for (const gpa of [4 * MiB, 5 * PAGE, 20 * PAGE]) access(vm, gpa, WRITE);
    vm.collectRing(0);
    vm.setMemslot(aRegion({ slot: 1, bytes: 0 }));
    vm.setMemslot(aRegion({ bytes: 0 }));
    vm.setMemslot(aRegion({ bytes: 8 * PAGE, flags: LOG_DIRTY }));
    access(vm, 5 * PAGE, WRITE);
    expect(vm.resetRings()).toMatchObject({ entries: 3, sptesChanged: 0 });
  });

  test("that is full for its guest is emptied before the vCPU runs on", () => {
    const vm = withRing();
    vm.guestWrite(0, 191 * PAGE);
    expect(access(vm, 200 * PAGE, WRITE)).toMatchObject({ result: "fixed", flush: "none" });
    // 192 of 256 are used, and 64 are kept free.
    expect(access(vm, 201 * PAGE, WRITE)).toMatchObject({ result: "fixed", flush: "full" });
    expect(vm.collectRing(0).map(({ page }) => page)).toEqual([201]);
  });

  test("without any room loses what comes", () => {
    const vm = withRing();
    vm.guestWrite(0, 300 * PAGE);
    expect(vm.collectRing(0)).toHaveLength(256);
  });
});

describe("entries of a ring are protected together", () => {
  const windows = (...pages: number[]) =>
    windowsOf(pages.map((page) => ({ slot: 0, page }))).map((window) => window.pages);

  test.each<[string, number[], number[][]]>([
    ["up to 63 pages after the first", [5, 68, 6], [[5, 68, 6]]],
    ["not 64", [5, 69], [[5], [69]]],
    ["before the first, while the last still fits", [70, 20, 83, 84], [[70, 20, 83], [84]]],
    ["not where the last would not", [70, 6], [[70], [6]]],
  ])("%s", (_, pages, expected) => {
    expect(windows(...pages)).toEqual(expected);
  });

  test("only those of one slot", () => {
    const entries = [0, 1, 0].map((slot) => ({ slot, page: 0 }));
    expect(windowsOf(entries)).toHaveLength(3);
  });
});
