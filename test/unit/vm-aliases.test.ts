// A VM with aliases as its user has it: each method once, on the engine.
import { describe, expect, test } from "vitest";
import { createVm, type Vm, type VmConfig } from "../../lib/index.js";
import { thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

const GiB = 2 ** 30;
const SHARED = 2 ** 47;
const HVA = 2 ** 40;

function aVm(strategy: string, preset = "tdx47", config: VmConfig = {}): Vm {
  const vm = createVm({ alias: { strategy, preset }, ...config });
  vm.memslots.add({ gpa: 0, bytes: GiB, hva: HVA });
  return vm;
}

describe.skipIf(!hasAddon)("private and shared memory", () => {
  test("starts private, and a conversion takes the private leaf with a flush", () => {
    using vm = aVm("mirror");
    expect(vm.isPrivate(0x1000)).toBe(true);
    expect(vm.access(0x1000, "write").result).toBe("fixed");
    expect(vm.access(SHARED + 0x1000, "write").result).toBe("memoryFault");
    expect(vm.setAttributes(0x1000, 4096, "shared")).toMatchObject({ result: "done", flush: "full" });
    expect(vm.isPrivate(0x1000)).toBe(false);
    expect(vm.access(SHARED + 0x1000, "write").result).toBe("fixed");
    expect(vm.leafCounts().map(({ offset, counts }) => [offset, counts[1]])).toEqual([
      [0, 0],
      [SHARED, 1],
    ]);
    expect([vm.violations(), vm.coexisting]).toEqual([[], 0]);
  });

  test("convertOnExit converts and tries again", () => {
    using vm = aVm("mirror", "tdx47", { convertOnExit: true });
    vm.access(0x1000, "write");
    expect(vm.access(SHARED + 0x1000, "write").result).toBe("fixed");
    expect([vm.conversionsOnExit, vm.isPrivate(0x1000)]).toEqual([1, false]);
  });

  test("a strategy that records attributes only leaves the other alias mapped", () => {
    using vm = aVm("stolen-bits");
    vm.access(0x1000, "write");
    expect(vm.setAttributes(0x1000, 4096, "shared").sptesChanged).toBe(0);
    expect(vm.coexisting).toBe(1);
  });

  test("an unmapped host page goes from the shared view", () => {
    using vm = aVm("precise");
    vm.setAttributes(0, 8192, "shared");
    vm.access(SHARED + 0x1000, "write");
    expect(vm.invalidateHva(HVA + 0x1000, 4096)).toMatchObject({ sptesChanged: 1, flush: "full" });
    expect(vm.rmap(0x1000)).toEqual([]);
    expect(vm.flushes()).toMatchObject({ full: expect.any(Number) });
  });

  test("attributes are refused where there are none to keep", () => {
    for (const [strategy, preset] of [
      ["none", "tdx47"],
      ["precise", "bits:47"],
    ] as const) {
      using vm = aVm(strategy, preset);
      expect(thrownBy(() => vm.setAttributes(0, 4096, "shared")).code).toBe("ERR_EVENT");
    }
  });

  test.each([
    [
      "an attribute that is none",
      (vm: Vm) => vm.setAttributes(0, 4096, "secret" as never),
      "attribute must be",
    ],
    ["an hva with a fraction", (vm: Vm) => vm.invalidateHva(0.5, 4096), "hva must be an integer"],
    ["a length as an object", (vm: Vm) => vm.invalidateHva(0, {} as never), "bytes must be"],
    ["a gpa above the width", (vm: Vm) => vm.isPrivate(2 ** 48), "gpa must be below 2^48 (addressBits)"],
    ["a gpa above the width", (vm: Vm) => vm.rmapCount(2 ** 48), "gpa must be below 2^48 (addressBits)"],
  ])("%s is refused before the engine sees it", (_, call, sentence) => {
    using vm = aVm("precise");
    const error = thrownBy(() => call(vm));
    expect([error.code, error.message.slice(0, sentence.length)]).toEqual(["ERR_CONFIG", sentence]);
  });
});

describe.skipIf(!hasAddon)("attribute aliases", () => {
  test("one table for two views leaves the guest stuck, and says so", () => {
    using vm = aVm("v5-as-posted", "bits:47");
    expect(vm.access(SHARED + 0x1000, "write").result).toBe("stuck");
    expect(vm.violations()).toMatchObject([
      { rule: "alias-stuck", defect: "D1a", count: 1, firstEvent: 0, gpa: SHARED + 0x1000 },
    ]);
  });

  test("tables by alias are listed, and reverse maps counted in the flavour that has them", () => {
    using vm = aVm("stolen-bits", "bits:47", { mmu: "rmap" });
    vm.access(0x1000, "write");
    vm.access(SHARED + 0x1000, "write");
    expect(vm.rmap(0x1000).map(({ gpa }) => gpa)).toEqual([0x1000, SHARED + 0x1000]);
    expect(vm.rmapCount(0x1000)).toBe(2);
    const { gpa, level, parents, root } = vm.tableList();
    expect([level.length, parents.length, root.length]).toEqual([gpa.length, gpa.length, gpa.length]);
    expect(vm.stats()["mmu_cache_miss"]).toBe(gpa.length);
  });

  test("what the preset stands for is with the VM", () => {
    using vm = aVm("precise", "bits:46,47");
    expect(vm.preset).toMatchObject({
      kind: "attribute",
      bits: [46, 47],
      aliases: [0, 1, 2, 3].map((a) => a * 2 ** 46),
    });
    expect([vm.config.addressBits, vm.config.rootLevel]).toEqual([48, 4]);
  });

  test.each([
    ["bits:44,46", "ERR_CONFIG"],
    ["bits:43,44,45,46,47", "ERR_CONFIG"],
    ["bits:30", "ERR_CONFIG"],
    ["bits:52", "ERR_CONFIG"],
    ["tdx48", "ERR_CONFIG"],
    ["vtom:3", "ERR_CONFIG"],
  ])("preset %s is refused with %s", (preset, code) => {
    expect(thrownBy(() => createVm({ alias: { strategy: "precise", preset } }))).toMatchObject({
      name: "RangeError",
      code,
    });
  });

  test.each(["32", "shadow-ept"] as const)("%s guest paging takes no alias bits", (guestPaging) => {
    const error = thrownBy(() =>
      createVm({ alias: { strategy: "precise", preset: "bits:47" }, guestPaging }),
    );
    expect(error).toMatchObject({ code: "ERR_UNSUPPORTED", errno: "EOPNOTSUPP" });
  });

  test("a slot at an alias is refused", () => {
    using vm = aVm("precise", "bits:47");
    expect(thrownBy(() => vm.memslots.add({ gpa: SHARED, bytes: 4096 }))).toMatchObject({
      code: "ERR_MEMSLOT_ALIASED",
      errno: "EINVAL",
    });
  });

  test("1G backing is refused where an alias bit lies inside such a page", () => {
    using vm = createVm({ alias: { strategy: "precise", preset: "bits:38" } });
    expect(thrownBy(() => vm.memslots.add({ gpa: 0, bytes: GiB, backing: "1G" })).code).toBe(
      "ERR_MEMSLOT_BACKING",
    );
  });
});
