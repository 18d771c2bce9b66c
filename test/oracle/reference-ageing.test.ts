/** The model's ageing, and hosts that set no Accessed and Dirty bits. */
import { describe, expect, test } from "vitest";
import { access, HVA, KiB, operate, withSlot } from "./reference/builders.js";
import { FETCH, LOG_DIRTY, READ, WRITE } from "./reference/types.js";
import type { ReferenceMmu } from "./reference-mmu.js";

const PAGE = 4 * KiB;
const host = { adBits: false } as const;
const flags = (vm: ReferenceMmu) => vm.leaves({ mmio: false }).map(({ spte }) => spte);

describe("with Accessed and Dirty bits", () => {
  test("a page is young once, through every alias, and nothing is flushed", () => {
    const vm = withSlot({}, { policy: "stolen-bits", preset: "bits:47" });
    for (const gpa of [0, 2 ** 47]) access(vm, gpa, WRITE);
    const young = { level: 1, sptesChanged: 2, flush: "none", result: "done" };
    expect(operate(vm, "test-age", HVA, PAGE)).toMatchObject({ ...young, sptesChanged: 0 });
    expect(operate(vm, "age", HVA, PAGE)).toMatchObject(young);
    expect(operate(vm, "age", HVA, PAGE)).toMatchObject({ level: 0, sptesChanged: 0 });
    expect(access(vm, 0, READ).result).toBe("hit");
    expect(operate(vm, "test-age", HVA, PAGE).level).toBe(1);
  });

  test("pages beside the range keep their age, and a huge one has a single age", () => {
    const vm = withSlot({ backing: 2 });
    access(vm, 0, WRITE);
    expect(operate(vm, "age", HVA + 512 * PAGE, PAGE).level).toBe(0);
    expect(operate(vm, "age", HVA + 511 * PAGE, PAGE)).toMatchObject({ level: 1, sptesChanged: 1 });
  });

  test("a private page of its own has no host address to be aged by", () => {
    const own = withSlot({}, { policy: "mirror", preset: "tdx47" });
    access(own, 0, WRITE);
    expect(operate(own, "age", HVA, PAGE)).toMatchObject({ level: 0, sptesChanged: 0 });
    const ofSlot = withSlot({}, { policy: "role-private", preset: "tdx47" });
    access(ofSlot, 0, WRITE);
    expect(operate(ofSlot, "age", HVA, PAGE)).toMatchObject({ level: 1, sptesChanged: 1 });
  });
});

describe("without Accessed and Dirty bits", () => {
  test("entries say so, and hardware changes none of them", () => {
    const vm = withSlot({ flags: LOG_DIRTY }, { host });
    access(vm, 0, READ);
    expect(flags(vm)).toEqual([0x8610000000000b77n]);
    operate(vm, "dirty-log-get");
    operate(vm, "age", HVA, PAGE);
    access(vm, 0, READ);
    expect(flags(vm)).toEqual([0x8610000000000b75n]);
  });

  test("an old page has no rights until the next access, which the fast path mends", () => {
    const vm = withSlot({}, { host });
    access(vm, 0, WRITE);
    expect(operate(vm, "age", HVA, PAGE)).toMatchObject({ level: 1, sptesChanged: 1 });
    expect(flags(vm)).toEqual([0x8750000000000a70n]);
    expect(operate(vm, "test-age", HVA, PAGE).level).toBe(0);
    expect(access(vm, 0, FETCH)).toMatchObject({ result: "fixed", sptesChanged: 1 });
    expect(flags(vm)).toEqual([0x8610000000000b75n]);
    expect(access(vm, 0, WRITE)).toMatchObject({ result: "fixed", sptesChanged: 1 });
    expect(vm.stats()).toMatchObject({ pf_taken: 3, pf_fixed: 3, pf_fast: 2 });
  });

  test("a write to an old page gives it W at once, and is logged", () => {
    const vm = withSlot({ flags: LOG_DIRTY }, { host });
    access(vm, 0, READ);
    operate(vm, "dirty-log-get");
    operate(vm, "age", HVA, PAGE);
    access(vm, 0, WRITE);
    expect(flags(vm)).toEqual([0x8610000000000b77n]);
    expect([...(vm.slot(0)?.dirty ?? [])]).toEqual([0]);
  });

  test("logging flushes an old page too, whose rights a TLB may still have", () => {
    const vm = withSlot({}, { host, policy: "precise", preset: "bits:47", flushProvider: "hyperv" });
    access(vm, 0, WRITE);
    operate(vm, "age", HVA, PAGE);
    expect(operate(vm, "dirty-log-enable")).toMatchObject({
      sptesChanged: 0,
      flush: "range",
      flushedPages: 1,
    });
  });

  test("neighbours of a fault are not mapped with it", () => {
    const vm = withSlot({}, { host, mmu: "rmap" });
    expect(access(vm, 0, READ).sptesChanged).toBe(3 + 1);
  });
});
