/** What the bare addon answers about aliases, flushes and private memory. */
import { expect, test } from "vitest";
import { EventBatch } from "../../lib/columns/event-batch.js";
import { OutcomeBatch } from "../../lib/columns/outcome-batch.js";
import { loadAddon } from "../../lib/native/addon.js";
import type { NativeVm, NativeVmConfig } from "../../lib/native/addon-types.js";
import { under } from "./native-config.js";

const addon = loadAddon();

/** A VM with 2 MiB of memory at 0. */
function aVm(preset: string, overrides: Partial<NativeVmConfig> = {}): NativeVm {
  const vm = new addon.Vm(under(preset, overrides));
  vm.setMemslot({ slot: 0, flags: 0, gpa: 0, bytes: 2 ** 21, hva: 2 ** 40, backing: 1 });
  return vm;
}

test("says where its tables are and through which alias its leaves are reached", () => {
  const vm = aVm("bits:46", { strategy: "precise" });
  vm.step(0, 4096, 0, 0, 2);
  vm.step(0, 2 ** 46 + 4096, 0, 0, 2);
  vm.step(0, 2 ** 46 + 8192, 0, 0, 1);
  expect(vm.leafCounts()).toEqual([
    { offset: 0, counts: [0, 1, 0, 0] },
    { offset: 2 ** 46, counts: [0, 2, 0, 0] },
  ]);
  const { gpa, level, parents, root } = vm.tableList();
  expect(gpa).toBeInstanceOf(Float64Array);
  expect(level).toBeInstanceOf(Uint8Array);
  expect(parents).toBeInstanceOf(Uint32Array);
  expect(root).toBeInstanceOf(Uint8Array);
  expect([...level].sort()).toEqual([1, 1, 2, 2, 3, 3, 4]);
  expect([gpa.length, parents.length, root.length]).toEqual([7, 7, 7]);
  expect(gpa).toContain(2 ** 46);
  expect(vm.rmapCount(4096)).toBe(0);
  vm.close();
});

test("counts what it flushed, in the outcome and over its life", () => {
  const vm = aVm("bits:46", { strategy: "precise", flushProvider: "hyperv" });
  vm.step(0, 2 ** 46 + 4096, 0, 0, 2);
  expect(vm.step(1, 0, 2 ** 21, 0, 0)).toMatchObject({ sptesChanged: 1, flush: 1, flushedPages: 1 });
  expect(vm.flushes()).toEqual({ none: 0, range: 1, full: 0, pages: 1 });
  expect(vm.violations()).toEqual([]);
  vm.close();
});

test("takes pages back by hva, and flushes nothing where it took nothing", () => {
  const vm = aVm("none");
  vm.step(0, 4096, 0, 0, 2);
  expect(vm.step(7, 2 ** 40 + 4096, 4096, 0, 0)).toMatchObject({ sptesChanged: 1, flush: 2 });
  expect(vm.step(7, 2 ** 40 + 4096, 4096, 0, 0)).toMatchObject({ sptesChanged: 0, flush: 0 });
  vm.close();
});

test("tells private pages from shared ones", () => {
  const vm = aVm("tdx47", { strategy: "mirror", convertOnExit: true });
  const pages = [0, 4096, 2 ** 47 + 4096, 2 ** 21];
  expect(pages.map((gpa) => vm.isPrivate(gpa))).toEqual([true, true, true, false]);
  vm.step(8, 4096, 4096, 0, 0);
  expect(pages.map((gpa) => vm.isPrivate(gpa))).toEqual([true, false, false, false]);
  vm.step(0, 4096, 0, 0, 2);
  expect(vm.isPrivate(4096)).toBe(true);
  expect([vm.conversions(), vm.coexisting()]).toEqual([1, 0]);
  expect(() => vm.isPrivate(2 ** 48)).toThrow(expect.objectContaining({ code: "ERR_EVENT" }));
  vm.close();
});

test("reports a rule that fired with the defect that explains it", () => {
  const vm = aVm("bits:46", { strategy: "v5-as-posted" });
  vm.step(0, 0, 0, 0, 2);
  const { outcome } = vm.step(0, 2 ** 46 + 4096, 0, 0, 2);
  expect(addon.layout().outcomes[outcome]).toBe("stuck");
  expect(vm.violations()).toContainEqual({
    rule: "alias-stuck",
    count: 1,
    firstEvent: 1,
    gpa: 2 ** 46 + 4096,
    defect: "D1a",
    reason: expect.stringMatching(/./),
  });
  vm.close();
});

test("fills the two flush columns of a batch", async () => {
  const vm = aVm("none");
  const events = new EventBatch(2);
  const outcomes = new OutcomeBatch(2);
  events.pushAccess(4096, "write");
  events.pushOperation("zap", 0, 2 ** 21);
  outcomes.flush.fill(9);
  outcomes.flushedPages.fill(9);
  await vm.run(events.buffer, outcomes.buffer, 2, 2);
  expect([...outcomes.flush]).toEqual([0, 2]);
  expect([...outcomes.flushedPages]).toEqual([0, 0]);
  vm.close();
});
