/** The model's flushes: which plan calls the provider for what, and what then runs in full. */
import { describe, expect, test } from "vitest";
import { access, aRegion, aVm, KiB, operate, withSlot } from "./reference/builders.js";
import { LOG_DIRTY, READ, WRITE } from "./reference/types.js";

const PAGE = 4 * KiB;
const ALIAS = 2 ** 47;
const nothing = { none: 0, range: 0, full: 0, pages: 0 };
const full = { ...nothing, full: 1 };
const ranges = (range: number) => ({ ...nothing, range, pages: range });

/** One page, mapped through both aliases where it can be, then zapped. */
function zapped(policy: string, preset: string, flushProvider: string, mmu: "tdp" | "rmap" = "rmap") {
  const vm = withSlot({ bytes: PAGE }, { policy, preset, flushProvider, mmu });
  access(vm, 0, WRITE);
  if (preset !== "none") access(vm, ALIAS, WRITE);
  operate(vm, "zap", 0, PAGE);
  return vm.state.flush;
}

describe("a zap of one page", () => {
  test.each([
    ["no alias bit, provider", "none", "hyperv", [ranges(1), ranges(1), ranges(1)]],
    ["no alias bit, no provider", "none", "none", [full, full, full]],
    ["one bit, provider", "bits:47", "hyperv", [ranges(1), ranges(2), ranges(2)]],
    ["one bit, no provider", "bits:47", "none", [full, full, full]],
    ["one bit, every call fails", "bits:47", "fail:1", [full, full, full]],
    [
      "one bit, the second call fails",
      "bits:47",
      "fail:2",
      [ranges(1), ranges(1), { ...ranges(1), full: 1 }],
    ],
    ["two bits, provider", "bits:46,47", "hyperv", [full, full, ranges(2)]],
  ])("%s: v5 as posted, stolen bits, precise", (_, preset, provider, expected) => {
    const policies = ["v5-as-posted", "stolen-bits", "precise"];
    expect(policies.map((policy) => zapped(policy, preset, provider))).toEqual(expected);
  });

  test("v5 as reviewed always flushes in full too, where there are aliases", () => {
    expect(zapped("v5-as-reviewed", "bits:47", "hyperv")).toEqual({ ...ranges(1), full: 1 });
    expect(zapped("v5-as-reviewed", "none", "hyperv")).toEqual(ranges(1));
  });

  test("precise flushes only what an alias had", () => {
    const vm = withSlot(
      { bytes: 64 * PAGE },
      { policy: "precise", preset: "bits:47", flushProvider: "hyperv" },
    );
    access(vm, ALIAS + 3 * PAGE, WRITE);
    access(vm, ALIAS + 5 * PAGE, WRITE);
    expect(operate(vm, "zap", 0, 64 * PAGE)).toMatchObject({ flush: "range", flushedPages: 3 });
    expect(vm.setMemslot(aRegion({ bytes: 64 * PAGE, flags: LOG_DIRTY })).flush).toBe("none");
    expect(vm.state.flush).toEqual({ none: 1, range: 1, full: 0, pages: 3 });
  });

  test("duplicate slots flush each slot's own frames", () => {
    expect(zapped("duplicate-slots", "bits:47", "hyperv")).toEqual(ranges(2));
  });
});

describe("counters", () => {
  test("a full flush of an event reaches other vCPUs, one of the only vCPU's own fault none", () => {
    const stats = (vcpus: number, flushProvider: string) => {
      const vm = withSlot({ backing: 2 }, { vcpus, flushProvider, mmu: "rmap" });
      access(vm, 0, WRITE);
      vm.setMemslot(aRegion({ backing: 2, flags: LOG_DIRTY }));
      const before = vm.stats();
      expect(access(vm, 0, WRITE)).toMatchObject({ result: "fixed", level: 1, sptesChanged: 3 });
      const { remote_tlb_flush_requests, remote_tlb_flush, tlb_flush } = vm.stats();
      const of = (name: string) => before[name] ?? 0;
      return [
        (remote_tlb_flush_requests ?? 0) - of("remote_tlb_flush_requests"),
        (remote_tlb_flush ?? 0) - of("remote_tlb_flush"),
        (tlb_flush ?? 0) - of("tlb_flush"),
      ];
    };
    expect([stats(1, "none"), stats(2, "none"), stats(2, "hyperv")]).toEqual([
      [1, 0, 1],
      [1, 1, 2],
      [0, 0, 0],
    ]);
  });

  test("one page more than a hypercall's list holds is a full flush by the provider's own hook", () => {
    const flushed = (pages: number) => {
      const vm = withSlot({ bytes: pages * PAGE }, { flushProvider: "hyperv" });
      vm.setMemslot(aRegion({ bytes: pages * PAGE, flags: LOG_DIRTY }));
      const { remote_tlb_flush, tlb_flush } = vm.stats();
      return { ...vm.state.flush, remote_tlb_flush, tlb_flush };
    };
    const most = 1_044_480;
    expect(flushed(most)).toMatchObject({ range: 1, full: 0, pages: most, remote_tlb_flush: 0 });
    expect(flushed(most + 1)).toMatchObject({
      range: 0,
      full: 1,
      pages: 0,
      remote_tlb_flush: 1,
      tlb_flush: 0,
    });
  });

  test("a slot made with logging flushes nothing, a log taken empty neither", () => {
    const vm = withSlot({ flags: LOG_DIRTY });
    vm.takeDirtyLog(0);
    expect(vm.state.flush).toEqual(nothing);
  });
});

describe("remembered translations", () => {
  const tlb = { entries: 16, ways: 4 };

  test.each([
    ["v5-as-posted", "hyperv"],
    ["stolen-bits", "fail:2"],
  ])("%s with provider %s lets a write through the other alias past the log", (policy, flushProvider) => {
    const config = { policy, flushProvider, preset: "bits:47", mmu: "rmap", tlb } as const;
    const vm = withSlot({ flags: LOG_DIRTY, bytes: PAGE }, config);
    for (const gpa of [0, ALIAS]) access(vm, gpa, WRITE);
    operate(vm, "dirty-log-get");
    expect(access(vm, ALIAS, WRITE)).toMatchObject({ result: "hit", tablesRead: 0 });
    const rules = vm.violations().filter(({ rule }) => rule !== "alias-shared-leaf");
    expect(rules.map(({ rule, count }) => [rule, count])).toEqual([
      ["dirty-lost", 1],
      ["stale-translation", 1],
    ]);
  });

  test.each(["precise", "duplicate-slots", "v5-as-reviewed"])("%s loses none", (policy) => {
    const config = { policy, flushProvider: "hyperv", preset: "bits:47", mmu: "rmap", tlb } as const;
    const vm = withSlot({ flags: LOG_DIRTY, bytes: PAGE }, config);
    for (const gpa of [0, ALIAS]) access(vm, gpa, WRITE);
    operate(vm, "dirty-log-get");
    expect(access(vm, ALIAS, WRITE).result).not.toBe("hit");
  });

  test("a hit by the TLB reads no table, until the root is made anew or the entry pushed out", () => {
    const vm = withSlot({}, { tlb: { entries: 4, ways: 2 } });
    access(vm, 0, READ);
    expect(access(vm, 0, READ)).toMatchObject({ result: "hit", level: 1, tablesRead: 0 });
    for (const page of [2, 4]) access(vm, page * PAGE, READ);
    expect(access(vm, 0, READ).tablesRead).toBe(4);
    operate(vm, "zap-all-fast");
    expect(access(vm, 0, READ)).toMatchObject({ result: "fixed", tablesRead: 1 });
  });

  test("each vCPU remembers for itself", () => {
    const vm = aVm({ tlb, vcpus: 2 });
    vm.setMemslot(aRegion());
    access(vm, 0, READ);
    expect(vm.apply({ kind: "access", gpa: 0, bytes: 0, access: READ, vcpu: 1 }).tablesRead).toBe(4);
  });
});
