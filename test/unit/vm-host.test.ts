// What the host does to a VM, as its user says it: each method once, on the engine.
import { describe, expect, test } from "vitest";
import { createVm, type HostMapping, type Vm } from "../../lib/index.js";
import { thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

const GiB = 2 ** 30;
const HVA = 2 ** 40;

function aVm(): Vm {
  const vm = createVm();
  vm.memslots.add({ gpa: 0, bytes: GiB, hva: HVA });
  return vm;
}

describe.skipIf(!hasAddon)("setHostMapping", () => {
  test("gives a page another frame, and a range larger pages", () => {
    using vm = aVm();
    vm.setHostMapping(HVA + 0x1000, 0x1000, { pfn: 0x12345 });
    vm.access(0x1000, "read");
    expect(vm.walk(0x1000).at(-1)?.spte).toBe(0x8600000012345b77n);
    vm.setHostMapping(HVA + 0x200000, 0x200000, { level: 2 });
    expect(vm.access(0x200000, "read").pageSize).toBe("2M");
  });

  test("a state decides what a fault comes to, until it is reset", () => {
    using vm = aVm();
    const answers = (["none", "poison", "readonly", "io"] as const).map((state) => {
      vm.setHostMapping(HVA, 4096, { state });
      return vm.access(0, "write").result;
    });
    expect(answers).toEqual(["error", "retry", "error", "fixed"]);
    vm.zapAll();
    vm.setHostMapping(HVA, 4096, { state: "none" });
    vm.setHostMapping(HVA, 4096, { reset: true });
    expect(vm.access(0, "write").result).toBe("fixed");
  });

  test("refuses what cannot be, with the values", () => {
    using vm = aVm();
    const refused = (hva: number, bytes: number, mapping: HostMapping) =>
      thrownBy(() => vm.setHostMapping(hva, bytes, mapping));
    expect(refused(HVA + 1, 4096, {})).toMatchObject({ code: "ERR_HOST_MAPPING", values: { hva: HVA + 1 } });
    expect(refused(HVA, 4096, { pfn: 2 ** 40 })).toMatchObject({ code: "ERR_HOST_MAPPING" });
    expect(refused(HVA, 4096, { level: 2, pfn: 1 })).toMatchObject({ code: "ERR_HOST_MAPPING" });
    expect(refused(HVA, 4096, { state: "io", reset: true })).toMatchObject({ code: "ERR_HOST_MAPPING" });
  });

  test.each([
    [{ state: "gone" }, RangeError],
    [{ level: 4 }, RangeError],
    [{ pfn: -1 }, RangeError],
    [{ pfn: 0.5 }, RangeError],
    [{ pfn: "1" }, TypeError],
    [{ reset: 1 }, TypeError],
    [{ sate: "none" }, TypeError],
    [null, TypeError],
  ] as const)("takes no %j", (mapping, type) => {
    using vm = aVm();
    const error = thrownBy(() => vm.setHostMapping(HVA, 4096, mapping as unknown as HostMapping));
    expect(error).toBeInstanceOf(type);
    expect(error["code"]).toBe("ERR_CONFIG");
  });
});

describe.skipIf(!hasAddon)("prefault", () => {
  test("maps ahead as far as it gets, without a fault", () => {
    using vm = aVm();
    expect(vm.prefault(GiB - 0x2000, 0x4000)).toEqual({ bytesDone: 0x2000, errno: "" });
    expect(vm.stats()["pf_taken"]).toBe(0);
    expect(vm.access(GiB - 0x1000, "write").result).toBe("hit");
    expect(vm.prefault(GiB, 4096)).toEqual({ bytesDone: 0, errno: "ENOENT" });
    expect(vm.prefault(1, 4096)).toEqual({ bytesDone: 0, errno: "EINVAL" });
  });

  test("refuses an address or a vCPU that is not there", () => {
    using vm = aVm();
    expect(thrownBy(() => vm.prefault(2 ** 48, 4096))["code"]).toBe("ERR_CONFIG");
    expect(thrownBy(() => vm.prefault(0, 4096, { vcpu: 1 }))["code"]).toBe("ERR_CONFIG");
    expect(thrownBy(() => vm.prefault(0, -1))["code"]).toBe("ERR_CONFIG");
  });
});

describe.skipIf(!hasAddon)("invalidation", () => {
  test("counts a host unmap that meets a slot", () => {
    using vm = aVm();
    vm.invalidateHva(HVA, 0x3000);
    vm.invalidateHva(2 ** 45, 0x1000);
    expect(vm.invalidation()).toEqual({ inProgress: 0, start: 0, end: 3, sequence: 1 });
  });
});

describe.skipIf(!hasAddon)("a closed VM", () => {
  test("refuses what the host does, too", () => {
    const vm = aVm();
    vm.close();
    for (const call of [
      () => vm.setHostMapping(HVA, 4096, {}),
      () => vm.prefault(0, 4096),
      () => vm.invalidation(),
    ]) {
      expect(thrownBy(call)["code"]).toBe("ERR_CLOSED");
    }
  });
});
