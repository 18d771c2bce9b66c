/**
 * One page, its aliases, one event: what each strategy of the past and present
 * makes of it. Claims about the model, from the postings and from v6.16.
 */
import { describe, expect, test } from "vitest";
import {
  access,
  aRegion,
  aVm,
  convertTo,
  HVA,
  KiB,
  MiB,
  operate,
  refusal,
  withSlot,
} from "./reference/builders.js";
import { LOG_DIRTY, READ, type ReferenceConfig, WRITE } from "./reference/types.js";

const PAGE = 4 * KiB;
const AT = 0x100 * PAGE;
const ALIAS = 2 ** 47;
/** Alone, so that nothing is mapped ahead. */
const SLOT = { gpa: AT, bytes: PAGE };

const onePage = (policy: string, config: Partial<ReferenceConfig> = {}, region = {}) =>
  withSlot({ ...SLOT, ...region }, { policy, preset: "bits:47", ...config });

function touched(policy: string, config: Partial<ReferenceConfig> = {}, region = {}) {
  const vm = onePage(policy, config, region);
  return { vm, outcomes: [access(vm, AT, WRITE), access(vm, AT + ALIAS, WRITE)] };
}

describe("one page touched through two aliases", () => {
  test.each(["tdp", "rmap"] as const)(
    "stolen-bits/%s: two leaves, two tables a level below the root",
    (mmu) => {
      const { vm, outcomes } = touched("stolen-bits", { mmu });
      expect(outcomes.map(({ result }) => result)).toEqual(["fixed", "fixed"]);
      expect(vm.stats().pages_4k).toBe(2);
      expect(vm.tables()).toEqual({ roots: 1, byLevel: [0, 2, 2, 2, 1, 0] });
      expect(vm.rmapCount(AT)).toBe(mmu === "rmap" ? 2 : 0);
      const outcome = operate(vm, "hva-invalidate", HVA + AT, PAGE);
      expect(outcome).toMatchObject({ sptesChanged: 2, flush: "full" });
      expect(vm.state.flush.full).toBe(1);
    },
  );

  test("v5/tdp: the alias never works, each try costs two faults", () => {
    const { vm, outcomes } = touched("v5-as-posted");
    expect(outcomes[1]).toMatchObject({ result: "stuck", level: 0, sptesChanged: 0, tablesRead: 1 });
    expect(vm.stats()).toMatchObject({ pages_4k: 1, pf_taken: 3, pf_fixed: 1, pf_spurious: 2 });
    expect(vm.violations()).toEqual([{ rule: "alias-stuck", count: 1, firstEvent: 1 }]);
    expect(operate(vm, "hva-invalidate", HVA + AT, PAGE)).toMatchObject({ sptesChanged: 1, flush: "full" });
  });

  test("v5/tdp: a first touch through the alias maps alias 0 and is stuck", () => {
    const vm = onePage("v5-as-posted");
    expect(access(vm, AT + ALIAS, WRITE)).toMatchObject({ result: "stuck", sptesChanged: 4 });
    expect(vm.stats()).toMatchObject({ pf_taken: 2, pf_fixed: 1, pf_spurious: 1 });
    expect(access(vm, AT, WRITE).result).toBe("hit");
  });

  test("v5/rmap: the second alias links the tables of the first and reaches its leaf", () => {
    const { vm, outcomes } = touched("v5-as-posted", { mmu: "rmap" });
    expect(outcomes[1]).toMatchObject({ result: "spurious", level: 1, sptesChanged: 1 });
    expect(vm.tableList().map(({ level, parents }) => [level, parents])).toEqual([
      [4, 0],
      [3, 2],
      [2, 1],
      [1, 1],
    ]);
    expect([vm.stats().pages_4k, vm.rmapCount(AT), vm.leaves({ mmio: false }).length]).toEqual([1, 1, 2]);
    expect(vm.violations()).toEqual([{ rule: "alias-shared-leaf", count: 1, firstEvent: 1 }]);
  });

  test("mirror: the alias that contradicts the attribute exits, the other is mapped", () => {
    const { vm, outcomes } = touched("mirror", { preset: "tdx47" });
    expect(outcomes.map(({ result }) => result)).toEqual(["fixed", "memoryFault"]);
    expect(convertTo(vm, "shared", AT)).toMatchObject({ sptesChanged: 1, flush: "full" });
    expect(access(vm, AT + ALIAS, WRITE).result).toBe("fixed");
    expect(access(vm, AT, WRITE).result).toBe("memoryFault");
    expect(operate(vm, "hva-invalidate", HVA + AT, PAGE)).toMatchObject({ sptesChanged: 1, flush: "full" });
  });

  test("role-private: the other alias' leaf goes first, then this one is mapped", () => {
    const { vm, outcomes } = touched("role-private", { preset: "tdx47" });
    expect(outcomes[1]).toMatchObject({ result: "fixed", sptesChanged: 2 + 4, flush: "full" });
    expect(access(vm, AT, READ)).toMatchObject({ result: "fixed", sptesChanged: 1 + 1, flush: "full" });
    expect(vm.stats().pages_4k).toBe(1);
  });

  test("stolen-bits-tdx: a private leaf is blocked, flushed and dropped before the shared one is mapped", () => {
    const { vm, outcomes } = touched("stolen-bits-tdx", { preset: "tdx47", mmu: "rmap" });
    expect(outcomes[1]).toMatchObject({ result: "fixed", sptesChanged: 2 + 4, flush: "full" });
    expect([vm.stats().pages_4k, vm.rmapCount(AT)]).toEqual([1, 1]);
  });

  test("the dirty log of a page is one, whichever alias wrote", () => {
    const { vm } = touched("stolen-bits", { mmu: "rmap" }, { flags: LOG_DIRTY });
    expect(vm.takeDirtyLog(0)).toEqual({ pages: [0], sptesChanged: 2 });
    expect(access(vm, AT + ALIAS, WRITE)).toMatchObject({ result: "fixed", sptesChanged: 1 });
    expect(vm.takeDirtyLog(0).pages).toEqual([0]);
  });

  test("duplicate slots: two leaves, and logs that are ORed", () => {
    const { vm } = touched("duplicate-slots", {}, { flags: LOG_DIRTY });
    expect(vm.slots()).toHaveLength(1);
    expect(vm.generation(0)).toBe(4);
    expect(vm.takeDirtyLog(0)).toEqual({ pages: [0], sptesChanged: 2 });
  });
});

describe("private memory", () => {
  test.each([
    ["stolen-bits-tdx", "rmap"],
    ["role-private", "tdp"],
  ] as const)("%s: what the host unmaps is blocked, and back at the next touch", (policy, mmu) => {
    const vm = onePage(policy, { preset: "tdx47", mmu });
    access(vm, AT, WRITE);
    expect(operate(vm, "hva-invalidate", HVA + AT, PAGE)).toMatchObject({ sptesChanged: 1, flush: "full" });
    expect(vm.walk(AT)).toMatchObject({ isLeaf: false, spte: 0xc000000000100000n });
    expect([vm.stats().pages_4k, vm.rmapCount(AT)]).toEqual([0, mmu === "rmap" ? 1 : 0]);
    expect(access(vm, AT, READ)).toMatchObject({ result: "unzapped", level: 1, sptesChanged: 1 });
    expect(vm.rmapCount(AT)).toBe(mmu === "rmap" ? 1 : 0);
  });

  test("stolen-bits-tdx: what was blocked before a shared touch stays blocked", () => {
    const vm = onePage("stolen-bits-tdx", { preset: "tdx47", mmu: "rmap" });
    access(vm, AT, WRITE);
    operate(vm, "hva-invalidate", HVA + AT, PAGE);
    expect(access(vm, AT + ALIAS, WRITE)).toMatchObject({ result: "fixed", sptesChanged: 4, flush: "none" });
    expect(vm.rmapCount(AT)).toBe(2);
    expect(access(vm, AT, READ)).toMatchObject({ result: "unzapped", sptesChanged: 2, flush: "full" });
  });

  test("stolen-bits-tdx: private leaves survive their slot", () => {
    const vm = onePage("stolen-bits-tdx", { preset: "tdx47", mmu: "rmap" });
    access(vm, AT, WRITE);
    vm.setMemslot(aRegion({ ...SLOT, bytes: 0 }));
    expect([access(vm, AT, WRITE).result, vm.rmapCount(AT)]).toEqual(["hit", 0]);
    expect(vm.violations()).toMatchObject([{ rule: "alias-left-mapped", count: 1 }]);
  });

  test("mirror and precise: the host's unmap leaves it alone", () => {
    for (const policy of ["mirror", "precise"]) {
      const { vm } = touched(policy, { preset: "tdx47" });
      expect(operate(vm, "hva-invalidate", HVA + AT, PAGE)).toMatchObject({ sptesChanged: 0, flush: "none" });
      expect(access(vm, AT, WRITE).result).toBe("hit");
    }
  });

  test("mirror: a busy external table leaves the entry as it was and the guest retries", () => {
    const vm = onePage("mirror", { preset: "tdx47", externalTables: "busy:4" });
    expect(access(vm, AT, WRITE)).toMatchObject({ result: "retry", sptesChanged: 3 });
    expect(vm.stats().pages_4k).toBe(0);
    expect(access(vm, AT, WRITE)).toMatchObject({ result: "fixed", sptesChanged: 1 });
  });

  test("mirror: a hole is an exit, and shared it is MMIO", () => {
    const vm = aVm({ policy: "mirror", preset: "tdx47" });
    convertTo(vm, "private", AT);
    expect(access(vm, AT, READ)).toMatchObject({ result: "memoryFault", sptesChanged: 0 });
    expect(access(vm, AT + PAGE + ALIAS, READ)).toMatchObject({ result: "emulate", sptesChanged: 4 });
  });

  test("stolen bits keep what a conversion should have taken, and it is counted", () => {
    const { vm } = touched("stolen-bits", { preset: "tdx47" });
    expect(convertTo(vm, "shared", AT)).toMatchObject({ sptesChanged: 0, flush: "none" });
    expect(vm.state.coexisting).toBe(1);
    convertTo(vm, "shared", AT);
    expect(vm.state.coexisting).toBe(1);
  });

  test("a VMM that converts on exit answers the access it was asked for", () => {
    const vm = onePage("mirror", { preset: "tdx47", convertOnExit: true });
    access(vm, AT, WRITE);
    const second = access(vm, AT + ALIAS, WRITE);
    expect(second).toMatchObject({ result: "fixed", level: 1, sptesChanged: 1 + 4, flush: "full" });
    expect([vm.state.conversions, vm.stats().pf_taken]).toEqual([1, 3]);
  });
});

describe("aliases of other kinds", () => {
  test("an execute-only alias is for fetches, a read is the guest's own fault", () => {
    const vm = onePage("precise", { preset: "xo:47" });
    expect(access(vm, AT + ALIAS, READ)).toMatchObject({ result: "retry", sptesChanged: 0 });
    expect(access(vm, AT + ALIAS, 4).result).toBe("fixed");
    expect(vm.leavesAt(AT)).toEqual([{ gpa: AT + ALIAS, level: 1, spte: 0x8200000000100974n }]);
    expect(vm.stats()).toMatchObject({ pf_taken: 2, pf_fixed: 1, pf_emulate: 0 });
  });

  test("a bit that hardware strips is no alias at all", () => {
    const vm = onePage("none", { preset: "sev:47" });
    access(vm, AT + ALIAS, WRITE);
    expect(access(vm, AT, WRITE).result).toBe("hit");
    expect(vm.leaves({ mmio: false })).toMatchObject([{ gpa: AT }]);
  });

  test.each([
    ["stolen-bits", "emulate"],
    ["duplicate-slots", "emulate"],
    ["precise", "emulate"],
    ["v5-as-posted", "fixed"],
  ])("%s/rmap: an internal slot through an alias is answered %s", (policy, result) => {
    const vm = aVm({ policy, preset: "bits:47", mmu: "rmap", internalSlots: true });
    expect(access(vm, 0xfee00 * PAGE, WRITE).result).toBe("fixed");
    operate(vm, "zap", 0xfee00 * PAGE, PAGE);
    expect(access(vm, 0xfee00 * PAGE + ALIAS, WRITE).result).toBe(result);
    const rules = vm.violations().map(({ rule }) => rule);
    expect(rules.includes("internal-slot-aliased")).toBe(result === "fixed");
  });

  test("a slot that ends on an alias is refused, but for who knows no aliases", () => {
    const region = aRegion({ gpa: ALIAS - PAGE, bytes: 2 * PAGE, hva: HVA });
    const refused = (policy: string) => refusal(() => aVm({ policy, preset: "bits:47" }).setMemslot(region));
    expect([refused("precise"), refused("none")]).toEqual(["ERR_MEMSLOT_ALIASED EINVAL", "accepted"]);
  });

  test("a 1G page may not hold an alias bit's table", () => {
    const region = aRegion({ bytes: 1024 * MiB, backing: 3 });
    const set = (preset: string) => refusal(() => aVm({ policy: "stolen-bits", preset }).setMemslot(region));
    expect([set("xo:38"), set("xo:39")]).toEqual(["ERR_MEMSLOT_BACKING EINVAL", "accepted"]);
  });
});
