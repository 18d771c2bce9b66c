/** The model's page-modification log, against what is known of KVM and of the processor. */
import { describe, expect, test } from "vitest";
import { access, aRegion, KiB, MiB, operate, withSlot } from "./reference/builders.js";
import { LOG_DIRTY, READ, type ReferenceConfig, type Region, WRITE } from "./reference/types.js";
import type { ReferenceMmu } from "./reference-mmu.js";

const PAGE = 4 * KiB;

function withPml(region: Partial<Region> = {}, config: Partial<ReferenceConfig> = {}): ReferenceMmu {
  return withSlot(region, { ...config, host: { pml: true, ...config.host } });
}

const spteOf = (vm: ReferenceMmu): bigint | undefined => vm.leaves({ mmio: false })[0]?.spte;

describe("a page-modification log", () => {
  test("takes Dirty from entries, not W, and the next write goes without a fault", () => {
    const vm = withPml();
    access(vm, 0, WRITE);
    expect(vm.setMemslot(aRegion({ flags: LOG_DIRTY }))).toMatchObject({ sptesChanged: 1, flush: "full" });
    expect(spteOf(vm)).toBe(0x8600000000000977n);
    expect(access(vm, 0, WRITE)).toMatchObject({ result: "hit", sptesChanged: 0 });
    expect(spteOf(vm)).toBe(0x8600000000000b77n);
    expect(vm.slot(0)?.dirty?.size).toBe(0);
    expect(vm.takeDirtyLog(0)).toEqual({ pages: [0], sptesChanged: 1 });
    expect(spteOf(vm)).toBe(0x8600000000000977n);
  });

  test("is read out at every fault of its vCPU", () => {
    const vm = withPml();
    access(vm, 0, WRITE);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    access(vm, 0, WRITE);
    access(vm, 0, READ);
    expect(vm.slot(0)?.dirty?.size).toBe(0);
    access(vm, PAGE, READ);
    expect(vm.slot(0)?.dirty).toEqual(new Set([0, 1]));
  });

  test("is read out when full", () => {
    const vm = withPml({ bytes: 4 * MiB });
    for (let page = 0; page < 513; page++) access(vm, page * PAGE, READ);
    vm.setMemslot(aRegion({ bytes: 4 * MiB, flags: LOG_DIRTY }));
    for (let page = 0; page < 512; page++) access(vm, page * PAGE, WRITE);
    expect(vm.slot(0)?.dirty?.size).toBe(0);
    access(vm, 512 * PAGE, WRITE);
    expect(vm.slot(0)?.dirty?.size).toBe(512);
  });

  test("takes W too from leaves that are still huge, and their next write splits them", () => {
    const vm = withPml({ backing: 2 }, { host: { eagerPageSplit: false } });
    access(vm, 0, WRITE);
    expect(vm.setMemslot(aRegion({ flags: LOG_DIRTY })).sptesChanged).toBe(2);
    expect(spteOf(vm)).toBe(0x86000000000009f5n);
    expect(access(vm, PAGE, WRITE)).toMatchObject({ result: "fixed", level: 1, sptesChanged: 2 });
    expect(vm.slot(0)?.dirty).toEqual(new Set([1]));
  });

  test("of flavour rmap leaves Dirty to huge leaves", () => {
    const vm = withPml({ backing: 2 }, { mmu: "rmap" });
    access(vm, 0, WRITE);
    expect(vm.setMemslot(aRegion({ flags: LOG_DIRTY })).sptesChanged).toBe(1);
    expect(spteOf(vm)).toBe(0x8600000000000bf5n);
  });

  test("notes the issued address, and the slot has the page without its alias bits", () => {
    const vm = withPml({}, { policy: "stolen-bits", preset: "bits:47" });
    const alias = 2 ** 47;
    access(vm, alias, WRITE);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    access(vm, alias, WRITE);
    expect(vm.takeDirtyLog(0).pages).toEqual([0]);
  });

  test("holds nothing once no slot is logged", () => {
    const vm = withPml();
    access(vm, 0, WRITE);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    access(vm, 0, WRITE);
    vm.setMemslot(aRegion());
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    expect(vm.takeDirtyLog(0).pages).toEqual([]);
  });

  test("goes without Accessed and Dirty bits of the processor", () => {
    const vm = withPml({}, { host: { adBits: false } });
    access(vm, 0, WRITE);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    expect(access(vm, 0, WRITE).result).toBe("fixed");
  });
});

describe("the slot that goes", () => {
  const quirkOff = { host: { slotZapAll: false } };

  test("takes only its own leaves without the quirk, and tables stay", () => {
    const vm = withSlot({}, quirkOff);
    vm.setMemslot(aRegion({ slot: 1, gpa: 4 * MiB }));
    access(vm, 0, WRITE);
    access(vm, 4 * MiB, WRITE);
    expect(vm.setMemslot(aRegion({ bytes: 0 }))).toMatchObject({ sptesChanged: 1, flush: "full" });
    expect(access(vm, 4 * MiB, WRITE).result).toBe("hit");
    expect(vm.tables().byLevel[1]).toBe(2);
  });

  test("that had no leaf owes no flush", () => {
    expect(withSlot({}, quirkOff).setMemslot(aRegion({ bytes: 0 }))).toMatchObject({ flush: "none" });
  });

  test("without eager splits logging takes W from huge leaves", () => {
    const vm = withSlot({ backing: 2 }, { host: { eagerPageSplit: false } });
    access(vm, 0, WRITE);
    expect(vm.setMemslot(aRegion({ flags: LOG_DIRTY })).sptesChanged).toBe(1);
    expect(operate(vm, "dirty-log-get").sptesChanged).toBe(0);
    expect(access(vm, 0, WRITE)).toMatchObject({ result: "fixed", level: 1, sptesChanged: 2 });
  });
});
