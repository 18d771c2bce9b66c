/** The model's host: pages that it takes back, does not have, or will not have written. */
import { describe, expect, test } from "vitest";
import {
  access,
  aRegion,
  aVm,
  convertTo,
  GiB,
  HVA,
  KiB,
  MiB,
  operate,
  refusal,
  withSlot,
} from "./reference/builders.js";
import { FETCH, LOG_DIRTY, READ, READONLY, WRITE } from "./reference/types.js";

const PAGE = 4 * KiB;
const readwrite = { state: "readwrite", pfn: undefined, level: 1 } as const;
const ofState = (state: "readonly" | "none" | "poison" | "io") => ({ ...readwrite, state });

describe("while the host takes memory back", () => {
  test("a fault on it retries and changes nothing, one beside it does not", () => {
    const vm = withSlot();
    operate(vm, "hva-begin", HVA + 4 * PAGE, 4 * PAGE);
    const retried = { result: "retry", level: 0, sptesChanged: 0, flush: "none" };
    for (const page of [4, 7]) expect(access(vm, page * PAGE, READ)).toMatchObject(retried);
    expect(vm.tables().roots).toBe(0);
    for (const page of [3, 8]) expect(access(vm, page * PAGE, READ).result).toBe("fixed");
    operate(vm, "hva-end", HVA + 4 * PAGE, 4 * PAGE);
    expect(access(vm, 4 * PAGE, READ).result).toBe("fixed");
    expect(vm.stats()).toMatchObject({ pf_taken: 5, pf_fixed: 3, pf_emulate: 0, pf_spurious: 0 });
  });

  test("the fast path, holes and the emulated APIC page do not wait", () => {
    const vm = withSlot({ flags: LOG_DIRTY }, { internalSlots: true, host: { apicv: false } });
    access(vm, 0, WRITE);
    operate(vm, "dirty-log-get");
    operate(vm, "hva-begin", HVA + PAGE, MiB);
    expect(access(vm, 0, WRITE)).toMatchObject({ result: "fixed", sptesChanged: 1 });
    operate(vm, "hva-begin", HVA, PAGE);
    expect(access(vm, 0, WRITE).result).toBe("retry");
    expect(access(vm, GiB, WRITE).result).toBe("emulate");
    expect(access(vm, 0xfee00000, READ).result).toBe("emulate");
  });

  test("the range is the union of all windows, until none is open", () => {
    const vm = withSlot();
    const { windows } = vm.state;
    operate(vm, "hva-begin", HVA, PAGE);
    operate(vm, "hva-begin", HVA + 9 * PAGE, PAGE);
    operate(vm, "hva-end", HVA + 9 * PAGE, PAGE);
    expect(access(vm, 5 * PAGE, READ).result).toBe("retry");
    expect(windows).toMatchObject({ inProgress: 1, sequence: 1, range: { start: 0, end: 10 } });
    operate(vm, "hva-end", HVA, PAGE);
    operate(vm, "hva-begin", HVA, PAGE);
    expect(access(vm, 5 * PAGE, READ).result).toBe("fixed");
  });

  test("a range without a slot is a window that nobody looks through", () => {
    const vm = withSlot();
    operate(vm, "hva-begin", HVA - PAGE, PAGE);
    expect(vm.state.windows).toMatchObject({ active: 1, inProgress: 0 });
    operate(vm, "hva-end", HVA - PAGE, PAGE);
    operate(vm, "hva-end", HVA, PAGE);
    expect(vm.state.windows).toMatchObject({ active: 0, inProgress: 0, sequence: 0 });
  });

  test("begin zaps as an invalidation does, and only the end moves the sequence", () => {
    const vm = withSlot();
    access(vm, 0, WRITE);
    expect(operate(vm, "hva-begin", HVA, PAGE)).toMatchObject({ sptesChanged: 1, flush: "full" });
    expect(vm.state.windows.sequence).toBe(0);
    expect(operate(vm, "hva-end", HVA, PAGE)).toMatchObject({ result: "done", flush: "none" });
    expect(vm.state.windows.sequence).toBe(1);
    operate(vm, "zap", GiB, PAGE);
    operate(vm, "hva-invalidate", HVA + GiB, PAGE);
    expect(vm.state.windows.sequence).toBe(2);
  });

  test("no memslot changes, and a request that changes none is taken", () => {
    const vm = withSlot();
    operate(vm, "hva-begin", HVA + GiB, PAGE);
    for (const region of [
      aRegion({ bytes: 0 }),
      aRegion({ flags: LOG_DIRTY }),
      aRegion({ slot: 1, gpa: GiB }),
    ])
      expect(refusal(() => vm.setMemslot(region))).toBe("ERR_BUSY ");
    expect(refusal(() => vm.setMemslot(aRegion({ bytes: 5 })))).toBe("ERR_MEMSLOT_SIZE EINVAL");
    expect(refusal(() => vm.setMemslot(aRegion()))).toBe("accepted");
    expect(operate(vm, "dirty-log-enable")).toMatchObject({ result: "error", sptesChanged: 0 });
    expect(vm.generation(0)).toBe(2);
  });
});

test("a conversion keeps faults off the huge pages that it breaks, those that were whole", () => {
  const vm = withSlot({ bytes: 8 * MiB }, { policy: "mirror", preset: "tdx47" });
  const windowAfter = (page: number) => {
    operate(vm, "hva-begin", HVA + 2000 * PAGE, PAGE);
    convertTo(vm, "shared", page * PAGE);
    const { range } = vm.state.windows;
    operate(vm, "hva-end", HVA + 2000 * PAGE, PAGE);
    return range;
  };
  expect(windowAfter(600)).toEqual({ start: 512, end: 2001 });
  expect(windowAfter(700)).toEqual({ start: 700, end: 2001 });
  expect(vm.state.windows.sequence).toBe(4);
});

describe("the hole that a vCPU met last", () => {
  const GIB = 2 ** 30;
  const anAgedHole = () => {
    const vm = aVm({ policy: "stolen-bits", preset: "bits:47" });
    access(vm, GIB, READ);
    vm.setMemslot(aRegion());
    return vm;
  };

  test("is emulated without its entry, through the alias without bits alone", () => {
    const vm = anAgedHole();
    expect(access(vm, 2 ** 47 + GIB, READ).sptesChanged).toBeGreaterThan(0);
    const before = vm.stats()["pf_taken"];
    expect(access(vm, GIB, READ)).toMatchObject({ result: "emulate", sptesChanged: 0 });
    expect(vm.stats()["pf_taken"]).toBe(before);
  });

  test("is another after the next hole", () => {
    const vm = anAgedHole();
    access(vm, 2 ** 47 + GIB, READ);
    access(vm, 2 * GIB, READ);
    expect(access(vm, GIB, READ)).toMatchObject({ result: "emulate", sptesChanged: 1 });
  });
});

describe("a page that the host", () => {
  test("does not map is an error, for whatever access", () => {
    const vm = withSlot();
    vm.setHostMapping(HVA + PAGE, PAGE, ofState("none"));
    for (const bits of [READ, WRITE, FETCH]) expect(access(vm, PAGE, bits).result).toBe("error");
    expect(access(vm, 0, READ).result).toBe("fixed");
    expect(vm.stats()).toMatchObject({ pf_taken: 4, pf_fixed: 1, pf_emulate: 0 });
  });

  test("has lost to a memory error is retried", () => {
    const vm = withSlot();
    vm.setHostMapping(HVA, PAGE, ofState("poison"));
    expect(access(vm, 0, READ)).toMatchObject({ result: "retry", level: 0 });
    expect(vm.leaves({ mmio: true })).toEqual([]);
  });

  test("maps read-only is read and not written", () => {
    const vm = withSlot();
    vm.setHostMapping(HVA, PAGE, ofState("readonly"));
    expect(access(vm, 0, WRITE).result).toBe("error");
    expect(access(vm, 0, READ).result).toBe("fixed");
    expect(vm.leaves({ mmio: false })).toEqual([{ gpa: 0, level: 1, spte: 0x8000000000000975n }]);
    vm.setHostMapping(HVA, PAGE, undefined);
    expect(access(vm, 0, WRITE)).toMatchObject({ result: "fixed", sptesChanged: 1 });
  });

  test("is not asked about for a write to a read-only slot", () => {
    const vm = withSlot({ flags: READONLY });
    vm.setHostMapping(HVA, PAGE, ofState("none"));
    expect(access(vm, 0, WRITE).result).toBe("emulate");
    expect(access(vm, 0, READ).result).toBe("error");
  });

  test("maps elsewhere is mapped there", () => {
    const vm = withSlot();
    vm.setHostMapping(HVA + 2 * PAGE, 4 * PAGE, { ...readwrite, pfn: 0x12345 });
    vm.setHostMapping(HVA + 3 * PAGE, PAGE, undefined);
    for (const page of [2, 3, 4]) access(vm, page * PAGE, READ);
    const pfns = vm.leaves({ mmio: false }).map(({ spte }) => (spte >> 12n) & 0xffffffn);
    expect(pfns).toEqual([0x12345n, 3n, 0x12347n]);
  });

  test("maps with larger pages is mapped so, whole pages only", () => {
    const vm = withSlot({ bytes: 8 * MiB });
    vm.setHostMapping(HVA, 4 * MiB, { ...readwrite, level: 2 });
    vm.setHostMapping(HVA + 3 * MiB, PAGE, ofState("readonly"));
    expect([0, 2, 4].map((at) => access(vm, at * MiB, READ).level)).toEqual([2, 1, 1]);
  });
});

describe("a page that has to be read in", () => {
  const reading = (asyncPageFaults: boolean) => {
    const vm = aVm({ policy: "stolen-bits", preset: "bits:47", host: { asyncPageFaults } });
    vm.setMemslot(aRegion());
    vm.setHostMapping(HVA, MiB, ofState("io"));
    return vm;
  };

  test("is waited for where the guest takes no asynchronous faults", () => {
    const vm = reading(false);
    expect(access(vm, 0, READ).result).toBe("fixed");
    expect(vm.state.hostMemory.stateOf(HVA / PAGE)).toBe("readwrite");
  });

  test("is one page under every alias: the second fault waits for the first", () => {
    const vm = reading(true);
    expect(access(vm, 2 ** 47, WRITE).result).toBe("retry");
    expect(access(vm, 0, READ).result).toBe("retry");
    expect(vm.stats()).toMatchObject({ pf_taken: 2, pf_fixed: 0 });
    expect(operate(vm, "async-ready")).toMatchObject({ result: "done", sptesChanged: 4 });
    expect(vm.leaves({ mmio: false })).toMatchObject([{ gpa: 2 ** 47, level: 1 }]);
    expect(vm.stats()).toMatchObject({ pf_taken: 2, pf_fixed: 1 });
    expect(operate(vm, "async-ready").sptesChanged).toBe(0);
  });

  test("is waited for when 64 others are under way", () => {
    const vm = reading(true);
    const results = Array.from({ length: 65 }, (_, page) => access(vm, page * PAGE, READ).result);
    expect(results).toEqual([...Array(64).fill("retry"), "fixed"]);
  });
});
