import { beforeEach, describe, expect, test } from "vitest";
import { createVm, type Vm } from "../../lib/index.js";
import { thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

const GiB = 2 ** 30;

describe.skipIf(!hasAddon)("memslots", () => {
  let vm: Vm;
  beforeEach(() => {
    vm = createVm();
    return () => vm.close();
  });

  test("a slot is read back as it was asked for, defaults included", () => {
    vm.memslots.add({ gpa: 0, bytes: GiB });
    vm.memslots.add({
      gpa: GiB,
      bytes: GiB,
      id: 7,
      hva: 2 ** 41,
      backing: "2M",
      readonly: true,
      dirtyLog: true,
    });
    const [first, second] = [...vm.memslots];
    expect(first).toMatchObject({
      id: 0,
      asId: 0,
      gpa: 0,
      bytes: GiB,
      hva: 2 ** 40,
      backing: "4K",
      readonly: false,
      dirtyLogging: false,
      dirtyPages: 0,
    });
    expect(second).toMatchObject({
      id: 7,
      gpa: GiB,
      hva: 2 ** 41,
      backing: "2M",
      readonly: true,
      dirtyLogging: true,
    });
  });

  test("the lowest free id is taken, also when one below was deleted", () => {
    const ids = [0, 1, 2].map((n) => vm.memslots.add({ gpa: n * GiB, bytes: GiB }).id);
    expect(ids).toEqual([0, 1, 2]);
    vm.memslots.get(1)?.delete();
    expect(vm.memslots.add({ gpa: 5 * GiB, bytes: GiB }).id).toBe(1);
  });

  test("a free id is found whichever way one came free, in each address space", () => {
    const add = (asId: number) => {
      const used = [...vm.memslots].filter((slot) => slot.asId === asId).length;
      return vm.memslots.add({ gpa: (used + 10) * GiB, bytes: 4096, asId }).id;
    };
    expect([add(0), add(0), add(1), add(0), add(1)]).toEqual([0, 1, 0, 2, 1]);
    vm.memslots.set({ slot: 1, flags: 0, gpa: 0, bytes: 0, hva: 0 });
    vm.memslots.set({ slot: 3, flags: 0, gpa: 50 * GiB, bytes: 4096, hva: 2 ** 40 });
    const next = (gpa: number) => vm.memslots.add({ gpa, bytes: 4096 }).id;
    expect([next(60 * GiB), next(61 * GiB), next(62 * GiB)]).toEqual([1, 4, 5]);
    vm.memslots.get(0, 1)?.delete();
    vm.memslots.get(4)?.delete();
    expect([next(63 * GiB), vm.memslots.add({ gpa: 0, bytes: 4096, asId: 1 }).id]).toEqual([4, 0]);
  });

  test.each([-1, 1.5, 65_536, "1"])("get refuses %o, which is no id", (id) => {
    expect(thrownBy(() => vm.memslots.get(id as number)).code).toBe("ERR_CONFIG");
    expect(thrownBy(() => vm.memslots.get(0, id as number)).code).toBe("ERR_CONFIG");
  });

  test("add never moves a slot that exists", () => {
    vm.memslots.add({ gpa: 0, bytes: GiB, id: 3 });
    const error = thrownBy(() => vm.memslots.add({ gpa: GiB, bytes: GiB, id: 3 }));
    expect([error.code, error.message]).toEqual(["ERR_CONFIG", "id must be free, got 3"]);
    expect(vm.memslots.get(3)?.gpa).toBe(0);
  });

  test("KVM's refusals arrive with code, errno, numbers and a sentence", () => {
    vm.memslots.add({ gpa: 0, bytes: GiB });
    const error = thrownBy(() => vm.memslots.add({ gpa: GiB - 4096, bytes: 8192 }));
    expect(error).toMatchObject({ name: "MmuError", code: "ERR_MEMSLOT_OVERLAP", errno: "EEXIST" });
    expect(error.message).toBe("memslot [0x3ffff000, 0x40001000) overlaps slot 0 [0x0, 0x40000000)");
    expect(error.stack).toContain("memslots.test.ts");
  });

  test.each([
    [{ gpa: "0x0", bytes: 1 }, "ERR_MEMSLOT_SIZE"],
    [{ gpa: 1, bytes: 4096 }, "ERR_MEMSLOT_GPA"],
    [{ gpa: 0, bytes: 0 }, "ERR_CONFIG"],
    [{ gpa: 0 }, "ERR_CONFIG"],
    [{ gpa: 0, bytes: 4096, backing: "8K" }, "ERR_CONFIG"],
    [{ gpa: 0, bytes: 4096, readonly: 1 }, "ERR_CONFIG"],
    [{ gpa: 0, bytes: 4096, read_only: true }, "ERR_CONFIG"],
    [{ gpa: 0, bytes: 4096, id: 32_764 }, "ERR_MEMSLOT_ID"],
    [{ gpa: 0, bytes: 4096, asId: 2 }, "ERR_MEMSLOT_ADDRESS_SPACE"],
    [{ gpa: 2 ** 48, bytes: 4096 }, "ERR_MEMSLOT_BEYOND_MAX"],
  ])("%o is refused with %s", (spec, code) => {
    expect(thrownBy(() => vm.memslots.add(spec as never)).code).toBe(code);
    expect([...vm.memslots]).toEqual([]);
  });

  test("at finds by address, ends excluded, and only in address space 0", () => {
    vm.memslots.add({ gpa: GiB, bytes: GiB, id: 5 });
    vm.memslots.add({ gpa: 0, bytes: GiB, id: 6, asId: 1 });
    expect([GiB, 2 * GiB - 1].map((gpa) => vm.memslots.at(gpa)?.id)).toEqual([5, 5]);
    expect([0, GiB - 1, 2 * GiB].map((gpa) => vm.memslots.at(gpa))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(vm.memslots.get(6, 1)?.asId).toBe(1);
    expect(vm.memslots.get(6)).toBeUndefined();
  });

  test("a dirty log holds what was written, once", () => {
    const slot = vm.memslots.add({ gpa: GiB, bytes: GiB, dirtyLog: true });
    for (const gpa of [GiB, GiB + 65 * 4096, GiB + 65 * 4096]) vm.access(gpa, "write");
    expect(slot.dirtyPages).toBe(2);
    expect([...slot.takeDirtyLog().gpas()]).toEqual([GiB, GiB + 65 * 4096]);
    expect(slot.takeDirtyLog().pages).toBe(0);
    vm.access(GiB + 65 * 4096, "write");
    expect([...slot.takeDirtyLog().gpas()]).toEqual([GiB + 65 * 4096]);
  });

  test("taking the log of a slot that is not logged is refused", () => {
    const slot = vm.memslots.add({ gpa: 0, bytes: GiB });
    expect(thrownBy(() => slot.takeDirtyLog())).toMatchObject({ code: "ERR_NO_DIRTY_LOG", errno: "ENOENT" });
  });

  test("switching logging keeps the slot read-only, and switching twice does nothing", () => {
    const slot = vm.memslots.add({ gpa: 0, bytes: GiB, readonly: true });
    slot.setDirtyLogging(true);
    expect([slot.readonly, slot.dirtyLogging]).toEqual([true, true]);
    const generation = vm.generation();
    expect(slot.setDirtyLogging(true)).toMatchObject({ result: "done", sptesChanged: 0 });
    expect(vm.generation()).toBe(generation);
    slot.setDirtyLogging(false);
    expect([slot.readonly, slot.dirtyLogging]).toEqual([true, false]);
  });

  test("a move takes the slot along and drops every mapping", () => {
    const slot = vm.memslots.add({ gpa: 0, bytes: GiB });
    vm.access(0x1000, "write");
    expect(slot.move(2 * GiB).sptesChanged).toBe(1);
    expect([slot.gpa, vm.stats()["pages_4k"]]).toEqual([2 * GiB, 0]);
  });

  test("a handle of a deleted slot stays dead when its id comes back", () => {
    const slot = vm.memslots.add({ gpa: 0, bytes: GiB });
    slot.delete();
    vm.memslots.add({ gpa: 0, bytes: GiB, id: slot.id });
    expect(thrownBy(() => slot.gpa)).toMatchObject({ code: "ERR_MEMSLOT_MISSING", errno: "EINVAL" });
    expect(slot.id).toBe(0);
  });

  test("set passes whatever it is given to KVM's checks", () => {
    vm.memslots.set({ slot: 65_536 + 4, flags: 0, gpa: 0, bytes: GiB, hva: 2 ** 40 });
    expect(vm.memslots.get(4, 1)?.bytes).toBe(GiB);
    const flags = thrownBy(() => vm.memslots.set({ slot: 0, flags: 4, gpa: 0, bytes: GiB, hva: 2 ** 40 }));
    expect(flags).toMatchObject({ code: "ERR_MEMSLOT_FLAGS", values: { flags: 4 } });
    const missing = thrownBy(() => vm.memslots.set({ slot: 9, flags: 0, gpa: 0, bytes: 0, hva: 2 ** 40 }));
    expect(missing.code).toBe("ERR_MEMSLOT_MISSING");
  });
});
