/** The model's write tracking: who watches a frame sees every write to it. */
import { describe, expect, test } from "vitest";
import { access, aRegion, GiB, KiB, MiB, operate, refusal, withSlot } from "./reference/builders.js";
import { LOG_DIRTY, READ, READONLY, WRITE } from "./reference/types.js";

const PAGE = 4 * KiB;
const full = { flush: "full", result: "done" };

describe.each(["tdp", "rmap"] as const)("a frame whose writes are watched, flavour %s", (mmu) => {
  test("loses W under every alias, with one full flush", () => {
    const vm = withSlot({ bytes: PAGE }, { policy: "stolen-bits", preset: "bits:47", mmu });
    for (const gpa of [0, 2 ** 47]) access(vm, gpa, WRITE);
    expect(operate(vm, "write-track-add", 0, PAGE)).toMatchObject({ ...full, sptesChanged: 2 });
    expect(vm.leaves({ mmio: false }).map(({ spte }) => spte)).toEqual(Array(2).fill(0x8200000000000b75n));
    expect(operate(vm, "write-track-add", 0, PAGE)).toMatchObject({ flush: "none", sptesChanged: 0 });
  });

  test("answers a write without touching anything, until nobody watches", () => {
    const vm = withSlot({ bytes: PAGE }, { mmu });
    access(vm, 0, WRITE);
    operate(vm, "write-track-add", 0, PAGE);
    operate(vm, "write-track-add", 0, PAGE);
    operate(vm, "write-track-remove", 0, PAGE);
    const watched = { result: "writeProtected", level: 0, sptesChanged: 0 };
    expect(access(vm, 0, WRITE)).toMatchObject(watched);
    operate(vm, "write-track-remove", 0, PAGE);
    operate(vm, "write-track-remove", 0, PAGE);
    expect(access(vm, 0, WRITE)).toMatchObject({ result: "fixed", sptesChanged: 1 });
    expect(vm.stats()).toMatchObject({
      pf_taken: 3,
      pf_fixed: 2,
      pf_emulate: 0,
      insn_emulation: 1,
      mmio_exits: 0,
    });
  });

  test("is mapped without W and D, by whichever access", () => {
    const vm = withSlot({ bytes: 2 * PAGE }, { mmu });
    operate(vm, "write-track-add", 0, 2 * PAGE);
    expect(access(vm, 0, READ).result).toBe("fixed");
    expect(access(vm, PAGE, WRITE).result).toBe("writeProtected");
    const flags = vm.leaves({ mmio: false }).map(({ spte }) => spte & ~0x1000n);
    expect(flags).toEqual(Array(2).fill(0x8200000000000975n));
  });

  test("keeps huge pages away, as long as it is watched", () => {
    const vm = withSlot({ bytes: 4 * MiB, backing: 2 }, { mmu });
    operate(vm, "write-track-add", 2 * MiB - PAGE, PAGE);
    expect([0, 2 * MiB].map((gpa) => access(vm, gpa, READ).level)).toEqual([1, 2]);
    operate(vm, "write-track-remove", 2 * MiB - PAGE, PAGE);
    expect(access(vm, MiB, READ).level).toBe(2);
  });
});

test("a huge page that covers a watched frame is split by the next write, which gives W to its own page alone", () => {
  const vm = withSlot({ backing: 2 });
  access(vm, 0, WRITE);
  expect(operate(vm, "write-track-add", 0, PAGE).sptesChanged).toBe(1);
  expect(access(vm, 5 * PAGE, WRITE)).toMatchObject({ result: "fixed", level: 1, sptesChanged: 2 });
  expect(access(vm, 0, WRITE).result).toBe("writeProtected");
  expect(access(vm, 6 * PAGE, READ)).toMatchObject({ result: "hit", level: 1 });
});

test("a log takes no more from a watched page, and watching takes what a log left", () => {
  const vm = withSlot({ flags: LOG_DIRTY });
  access(vm, 0, WRITE);
  operate(vm, "dirty-log-get");
  expect(operate(vm, "write-track-add", 0, PAGE)).toMatchObject({ ...full, sptesChanged: 1 });
});

test("frames without a slot are not watched, and a slot that moves is watched no more", () => {
  const vm = withSlot({ bytes: PAGE });
  operate(vm, "write-track-add", 0, GiB);
  vm.setMemslot(aRegion({ slot: 1, gpa: MiB, bytes: PAGE }));
  expect(access(vm, MiB, WRITE).result).toBe("fixed");
  expect(refusal(() => vm.setMemslot({ ...aRegion({ bytes: PAGE }), gpa: 2 * MiB }))).toBe("accepted");
  expect(access(vm, 2 * MiB, WRITE).result).toBe("fixed");
});

test("a write to a read-only page that is watched is for whoever watches", () => {
  const vm = withSlot({ flags: READONLY });
  access(vm, 0, READ);
  expect(operate(vm, "write-track-add", 0, PAGE)).toMatchObject({ flush: "none", sptesChanged: 0 });
  expect(access(vm, 0, WRITE).result).toBe("writeProtected");
});
