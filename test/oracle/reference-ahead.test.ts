/** The model's prefault: pages mapped before anybody touches them. */
import { describe, expect, test } from "vitest";
import { prefault } from "./reference/ahead.js";
import { access, aVm, convertTo, GiB, HVA, KiB, MiB, operate, withSlot } from "./reference/builders.js";
import { READ, READONLY, WRITE } from "./reference/types.js";

const PAGE = 4 * KiB;
const quiet = { pf_taken: 0, pf_fixed: 0, pf_emulate: 0, pf_spurious: 0, exits: 0 };

describe("prefault", () => {
  test("maps page after page, writable and not accessed, and counts no fault", () => {
    const vm = withSlot();
    const done = { result: "done", level: 1, tablesRead: 0, sptesChanged: 3 + 2 };
    expect(operate(vm, "prefault", 0, 2 * PAGE)).toMatchObject(done);
    expect(vm.leaves({ mmio: false }).map(({ spte }) => spte)).toEqual([
      0x8600000000000a77n,
      0x8600000000001a77n,
    ]);
    expect(vm.stats()).toMatchObject(quiet);
    expect(access(vm, PAGE, WRITE)).toMatchObject({ result: "hit", sptesChanged: 0 });
  });

  test("steps over a whole huge page at once, from wherever it starts", () => {
    const vm = withSlot({ bytes: 8 * MiB, backing: 2 });
    expect(operate(vm, "prefault", MiB, 2 * MiB)).toMatchObject({ level: 2, sptesChanged: 2 + 2 });
    expect(vm.leaves({ mmio: false })).toHaveLength(2);
  });

  test("takes a page of a read-only slot, and one that is mapped already", () => {
    const vm = withSlot({ flags: READONLY });
    const done = { result: "done", level: 1 };
    expect(operate(vm, "prefault", 0, PAGE)).toMatchObject({ ...done, sptesChanged: 4 });
    expect(vm.leaves({ mmio: false })).toMatchObject([{ spte: 0x8000000000000875n }]);
    expect(operate(vm, "prefault", 0, PAGE)).toMatchObject({ ...done, sptesChanged: 0 });
  });

  test("of a hole remembers the hole and fails, unless something came before it", () => {
    const vm = withSlot();
    const { frames } = { frames: (gpa: number) => ({ start: gpa / PAGE, end: gpa / PAGE + 2 }) };
    expect(operate(vm, "prefault", GiB, PAGE)).toMatchObject({ result: "error", level: 0, sptesChanged: 4 });
    expect(vm.stats()).toMatchObject({ ...quiet, pf_mmio_spte_created: 1 });
    expect(prefault(vm.state, frames(GiB), 0)).toMatchObject({ pages: 0, errno: "ENOENT" });
    expect(prefault(vm.state, frames(2 * MiB - PAGE), 0)).toMatchObject({ pages: 1, errno: 0 });
  });

  test("gives up where a fault would wait for the host", () => {
    const vm = withSlot();
    operate(vm, "hva-begin", HVA, PAGE);
    expect(prefault(vm.state, { start: 0, end: 2 }, 0)).toMatchObject({
      pages: 0,
      errno: "EAGAIN",
      changed: 0,
    });
  });

  test("reads in what the host has to read in, even for a guest that need not wait", () => {
    const vm = withSlot({}, { host: { asyncPageFaults: true } });
    vm.setHostMapping(HVA, PAGE, { state: "io", pfn: undefined, level: 1 });
    expect(operate(vm, "prefault", 0, PAGE).result).toBe("done");
  });

  test("without Accessed bits leaves a page without rights, and finds one again by the fast path", () => {
    const vm = withSlot({}, { host: { adBits: false } });
    operate(vm, "prefault", 0, PAGE);
    expect(vm.leaves({ mmio: false })).toMatchObject([{ spte: 0x8750000000000a70n }]);
    expect(operate(vm, "prefault", 0, PAGE).sptesChanged).toBe(1);
    expect(operate(vm, "prefault", 0, PAGE).sptesChanged).toBe(0);
    expect(vm.stats()).toMatchObject({ ...quiet, pf_fast: 2 });
  });

  test("goes by the attribute where there are mirrored tables, and refuses an address that names an alias", () => {
    const vm = withSlot({}, { policy: "mirror", preset: "tdx47" });
    expect(operate(vm, "prefault", 2 ** 47, PAGE)).toMatchObject({ result: "error", sptesChanged: 0 });
    operate(vm, "prefault", 0, PAGE);
    convertTo(vm, "shared", PAGE);
    operate(vm, "prefault", PAGE, PAGE);
    expect(vm.leaves({ mmio: false }).map(({ gpa }) => gpa)).toEqual([0, 2 ** 47 + PAGE]);
  });

  test("with neighbours, where a fault has them", () => {
    const vm = withSlot({}, { mmu: "rmap" });
    expect(operate(vm, "prefault", 0, PAGE).sptesChanged).toBe(3 + 8);
  });
});

describe("holes", () => {
  test("are not remembered where MMIO entries are switched off", () => {
    const vm = aVm({ host: { mmioCaching: false } });
    for (const bits of [READ, WRITE])
      expect(access(vm, 0, bits)).toMatchObject({ result: "emulate", sptesChanged: 0, tablesRead: 1 });
    const emulated = { pf_taken: 2, pf_emulate: 2, pf_mmio_spte_created: 0 };
    expect(vm.stats()).toMatchObject({ ...emulated, mmio_exits: 2, insn_emulation: 2, exits: 2 });
  });

  test("are exits without a fault once they are known", () => {
    const vm = aVm();
    for (const bits of [READ, WRITE]) access(vm, 0, bits);
    expect(vm.stats()).toMatchObject({ pf_taken: 1, exits: 2, mmio_exits: 2, insn_emulation: 2 });
  });
});

test("a vCPU that flushes its own TLB counts it alone, and asks nobody", () => {
  const vm = withSlot({}, { vcpus: 2 });
  expect(operate(vm, "vcpu-tlb-flush")).toMatchObject({ flush: "none", sptesChanged: 0 });
  expect(vm.stats()).toMatchObject({ tlb_flush: 1, remote_tlb_flush: 0, remote_tlb_flush_requests: 0 });
});

test("a data access through the execute-only alias is a fault of the guest's", () => {
  const vm = withSlot({}, { policy: "stolen-bits", preset: "xo:47" });
  access(vm, 2 ** 47, READ);
  expect(vm.stats()).toMatchObject({ pf_guest: 1, pf_taken: 1, exits: 1 });
});
