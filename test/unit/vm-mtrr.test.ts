// The guest's memory type range registers, as a user writes them.
import { describe, expect, test } from "vitest";
import { createVm } from "../../lib/index.js";
import { thrownBy } from "./thrown.js";
import { hasAddon } from "./with-addon.js";

const DEFAULT_TYPE = 0x2ff;
const ON_WRITE_BACK = (1 << 11) | 6;
const TWO_MIB = 2 ** 21;
const MASK_OF_A_PAGE = 2 ** 47 - 4096 + 2 ** 11;

const typed = (strategy: "v5-as-posted" | "v5-as-reviewed" | "stolen-bits" | "precise") =>
  createVm({ mmu: "rmap", alias: { preset: "bits:47", strategy }, host: { memoryTypes: true } });

describe.skipIf(!hasAddon)("setMtrr", () => {
  test.each([
    ["v5-as-posted", ["huge-mixed-memtype"], 2],
    ["v5-as-reviewed", ["huge-mixed-memtype"], 2],
    ["stolen-bits", [], 1],
    ["precise", [], 1],
  ] as const)(
    "shows that %s maps mixed memory with rules %j broken, at level %i",
    (strategy, rules, level) => {
      using vm = typed(strategy);
      vm.memslots.add({ gpa: 0, bytes: 4 * TWO_MIB, backing: "2M" });
      vm.setMtrr(DEFAULT_TYPE, ON_WRITE_BACK);
      vm.setMtrr(0x200, TWO_MIB + 2 ** 20);
      vm.setMtrr(0x201, MASK_OF_A_PAGE);
      const alias = TWO_MIB + 2 ** 47;
      expect(vm.access(alias, "read").result).toBe("fixed");
      expect(vm.walk(alias).at(-1)?.level).toBe(level);
      const broken = vm.violations().filter((rule) => rule.rule !== "alias-shared-leaf");
      expect(broken.map((rule) => [rule.rule, rule.defect])).toEqual(rules.map((rule) => [rule, "D4"]));
    },
  );

  test("zaps what the register may affect, and says so", () => {
    using vm = createVm({ host: { memoryTypes: true } });
    vm.memslots.add({ gpa: 0, bytes: TWO_MIB });
    vm.setMtrr(DEFAULT_TYPE, ON_WRITE_BACK);
    vm.access(0x5000, "write");
    expect(vm.setMtrr(0x250, 0).sptesChanged).toBe(1);
    expect(vm.setMtrr(0x250, 0)).toMatchObject({ sptesChanged: 0, flush: "none" });
  });

  test("refuses what a processor refuses, with the values, and VMs without memory types", () => {
    using vm = createVm({ host: { memoryTypes: true } });
    expect(thrownBy(() => vm.setMtrr(DEFAULT_TYPE, 2))).toMatchObject({
      code: "ERR_MTRR",
      values: { msr: DEFAULT_TYPE, value: 2 },
    });
    expect(thrownBy(() => vm.setMtrr(2 ** 32, 0))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => vm.setMtrr(DEFAULT_TYPE, -1))).toBeInstanceOf(RangeError);
    expect(thrownBy(() => vm.setMtrr("0x2ff" as unknown as number, 0))).toBeInstanceOf(TypeError);
    using plain = createVm();
    expect(thrownBy(() => plain.setMtrr(DEFAULT_TYPE, ON_WRITE_BACK))).toMatchObject({
      code: "ERR_UNSUPPORTED",
    });
  });
});
