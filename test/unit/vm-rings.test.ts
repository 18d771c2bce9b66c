// Dirty rings as a user of the library has them: the ring first, then the vCPUs.
import { describe, expect, test } from "vitest";
import { createVm, KVM_CAP } from "../../lib/index.js";
import { thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

describe.skipIf(!hasAddon)("a VM that starts without vCPUs", () => {
  test("takes a dirty ring, which then has what each vCPU wrote", () => {
    using vm = createVm({ vcpus: 0 });
    vm.enableCap(KVM_CAP.dirtyLogRing, 4096 * 16);
    expect([vm.createVcpu(0), vm.createVcpu(1)]).toEqual([0, 1]);
    vm.memslots.add({ id: 5, gpa: 0x10000, bytes: 0x10000, dirtyLog: true });
    vm.access(0x12000, "write", { vcpu: 1 });
    vm.access(0x13000, "write", { vcpu: 0 });
    expect(vm.collectRing(0)).toEqual([{ slot: 5, page: 3 }]);
    expect(vm.collectRing(1)).toEqual([{ slot: 5, page: 2 }]);
    expect(vm.resetRings()).toMatchObject({ entries: 2, flush: "full" });
    expect(vm.resetRings()).toMatchObject({ entries: 0, flush: "none" });
  });

  test("refuses accesses of vCPUs that are not there, and a ring that comes too late", () => {
    using vm = createVm({ vcpus: 0 });
    vm.memslots.add({ gpa: 0, bytes: 0x1000 });
    expect(thrownBy(() => vm.access(0, "read"))).toMatchObject({
      code: "ERR_CONFIG",
      message: "vcpu must be one that createVcpu has made, and there is none, got 0",
    });
    vm.createVcpu(7);
    expect(vm.access(0, "read").result).toBe("fixed");
    expect(thrownBy(() => vm.enableCap(KVM_CAP.dirtyLogRing, 65_536))).toMatchObject({ errno: "EINVAL" });
  });

  test("names a vCPU as its kernel can: pvm-6.18 below 4,096, others below 65,536", () => {
    for (const [kernel, last] of [
      ["pvm-6.18", 4095],
      ["6.16", 65_535],
      ["5.10", 65_535],
    ] as const) {
      using vm = createVm({ vcpus: 0, kernel, mmu: "rmap" });
      expect(thrownBy(() => vm.createVcpu(last + 1))).toMatchObject({ errno: "EINVAL" });
      expect(vm.createVcpu(last)).toBe(0);
    }
  });
});
