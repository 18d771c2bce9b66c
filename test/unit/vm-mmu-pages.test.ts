// The limit of shadow pages, as a user sets it.
import { describe, expect, test } from "vitest";
import { createVm } from "../../lib/index.js";
import { thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

describe.skipIf(!hasAddon)("setMmuPages", () => {
  test("takes the oldest shadow pages of a VM that has more", () => {
    using vm = createVm({ mmu: "rmap" });
    vm.memslots.add({ gpa: 0, bytes: 2 ** 34 });
    for (let i = 0; i < 100; i += 1) vm.access(i * 2 ** 21, "write");
    const { sptesChanged, flush } = vm.setMmuPages(64);
    expect(sptesChanged).toBeGreaterThan(0);
    expect(flush).toBe("full");
    expect(vm.stats()["mmu_recycled"]).toBe(39);
  });

  test("refuses fewer than 64 with the values, and what is no number of pages", () => {
    using vm = createVm();
    expect(thrownBy(() => vm.setMmuPages(63))).toMatchObject({
      code: "ERR_MMU_PAGES",
      errno: "EINVAL",
      values: { pages: 63, min: 64 },
    });
    expect(thrownBy(() => vm.setMmuPages(64.5))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => vm.setMmuPages("64" as unknown as number))).toBeInstanceOf(TypeError);
    expect(vm.setMmuPages(64).flush).toBe("none");
  });
});
