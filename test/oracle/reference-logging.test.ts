/** The model's manual dirty logs, files of private memory, kernels: what the recorded vectors cannot show. */
import { describe, expect, test } from "vitest";
import { access, aRegion, aVm, KiB, MiB, operate, refusal, withSlot } from "./reference/builders.js";
import { GUEST_MEMFD, LOG_DIRTY, READ, READONLY, type ReferenceConfig, WRITE } from "./reference/types.js";
import type { ReferenceMmu } from "./reference-mmu.js";

const PAGE = 4 * KiB;
const MANUAL = 168;
const all = (first: number, count: number) => ({ first, count, isAsked: () => true });

function manual(options: number, config: Partial<ReferenceConfig> = {}, backing = 1): ReferenceMmu {
  const vm = aVm(config);
  vm.enableCap(MANUAL, 0, options);
  vm.setMemslot(aRegion({ backing }));
  return vm;
}

describe("manual protection", () => {
  test("a log that is read stays, and so does every mapping", () => {
    const vm = manual(1);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    access(vm, PAGE, WRITE);
    const { full } = vm.state.flush;
    expect(vm.takeDirtyLog(0)).toEqual({ pages: [1], sptesChanged: 0 });
    expect(operate(vm, "dirty-log-get")).toMatchObject({ result: "done", sptesChanged: 0, flush: "none" });
    expect(vm.takeDirtyLog(0).pages).toEqual([1]);
    expect(vm.state.flush.full).toBe(full);
  });

  test("a clear takes the bits that are asked for and were set, and flushes only then", () => {
    const vm = manual(1);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    for (const page of [1, 2, 70]) access(vm, page * PAGE, WRITE);
    const { flush } = vm.state;
    const before = flush.full;
    expect(vm.clearDirtyLog(0, { ...all(0, 64), isAsked: (page) => page === 3 }).sptesChanged).toBe(0);
    expect(flush.full).toBe(before);
    expect(vm.clearDirtyLog(0, { ...all(0, 64), isAsked: (page) => page === 2 }).sptesChanged).toBe(1);
    expect(flush.full).toBe(before + 1);
    expect(vm.takeDirtyLog(0).pages).toEqual([1, 70]);
  });

  test("a clear by event takes whole windows of the slots that it meets", () => {
    const vm = manual(1);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    for (const page of [0, 63, 64]) access(vm, page * PAGE, WRITE);
    expect(operate(vm, "dirty-log-clear", 5 * PAGE, PAGE)).toMatchObject({ sptesChanged: 2, flush: "full" });
    expect(vm.takeDirtyLog(0).pages).toEqual([64]);
    expect(operate(vm, "dirty-log-clear").sptesChanged).toBe(1);
  });

  test.each([
    [{ ...all(32, 64) }, "ERR_DIRTY_LOG EINVAL"],
    [{ ...all(448, 100) }, "ERR_DIRTY_LOG EINVAL"],
    [{ ...all(0, 100) }, "ERR_DIRTY_LOG EINVAL"],
    [{ ...all(0, 64), copyFails: true }, "ERR_COPY EFAULT"],
    [{ ...all(64, 0), copyFails: true }, "accepted"],
    [{ ...all(448, 65) }, "ERR_DIRTY_LOG EINVAL"],
  ])("a clear of %o is %s", (request, expected) => {
    expect(refusal(() => withSlot({ flags: LOG_DIRTY }).clearDirtyLog(0, request))).toBe(expected);
  });

  test("a clear may end where the slot does", () => {
    const vm = withSlot({ flags: LOG_DIRTY, bytes: 100 * PAGE });
    expect(refusal(() => vm.clearDirtyLog(0, all(64, 36)))).toBe("accepted");
  });
});

describe("logs that begin all set", () => {
  test("nothing is protected or flushed, and every page is dirty", () => {
    const vm = manual(3, {}, 2);
    access(vm, 0, WRITE);
    expect(vm.setMemslot(aRegion({ flags: LOG_DIRTY }))).toMatchObject({ sptesChanged: 0, flush: "none" });
    expect(vm.takeDirtyLog(0).pages).toHaveLength(512);
    expect(access(vm, PAGE, WRITE)).toMatchObject({ result: "hit", level: 2 });
  });

  test("the first clear splits the huge page under it, and protects its own pages", () => {
    const vm = manual(3, {}, 2);
    access(vm, 0, WRITE);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    expect(vm.clearDirtyLog(0, { ...all(0, 64), isAsked: (page) => page === 7 }).sptesChanged).toBe(1 + 1);
    expect(access(vm, 6 * PAGE, WRITE)).toMatchObject({ result: "hit", level: 1 });
    expect(access(vm, 7 * PAGE, WRITE)).toMatchObject({ result: "fixed", level: 1, sptesChanged: 1 });
    expect(vm.stats().pf_fast).toBe(1);
  });

  test("without eager splits the huge page is protected for good, and the next write splits it", () => {
    const vm = manual(3, { host: { eagerPageSplit: false } }, 2);
    access(vm, 0, WRITE);
    vm.setMemslot(aRegion({ flags: LOG_DIRTY }));
    expect(vm.clearDirtyLog(0, all(0, 64)).sptesChanged).toBe(1);
    expect(vm.leaves({ mmio: false })[0]?.spte).toBe(0x8200000000000bf5n);
    expect(access(vm, 9 * PAGE, WRITE)).toMatchObject({ result: "fixed", level: 1, sptesChanged: 2 });
    expect(vm.stats().pf_fast).toBe(0);
  });

  test("a window from one huge page to the first frame of the next leaves that one writable", () => {
    const bytes = 4 * MiB + 63 * PAGE;
    const vm = aVm({ host: { eagerPageSplit: false } });
    vm.enableCap(MANUAL, 0, 3);
    // The slot's base is off by 63 pages, so that its eighth window ends on the boundary.
    const region = { gpa: 2 * MiB - 63 * PAGE, bytes, backing: 2 };
    vm.setMemslot(aRegion(region));
    access(vm, 2 * MiB, WRITE);
    access(vm, 4 * MiB, WRITE);
    vm.setMemslot(aRegion({ ...region, flags: LOG_DIRTY }));
    const window = { first: 512, count: 64 };
    const pages = (gpa: number) => (gpa - region.gpa) / PAGE;
    const asked = [pages(4 * MiB - PAGE), pages(4 * MiB)];
    expect(vm.clearDirtyLog(0, { ...window, isAsked: (page) => asked.includes(page) }).sptesChanged).toBe(1);
    expect(access(vm, 4 * MiB, WRITE)).toMatchObject({ result: "hit", level: 2 });
  });
});

describe("files of private memory", () => {
  const mirror: Partial<ReferenceConfig> = { policy: "mirror", preset: "tdx47" };

  test("are for VMs with private memory, or a kernel that has them for all", () => {
    const asked = aRegion({ flags: GUEST_MEMFD, memfd: { fd: 0, offset: 0 } });
    expect(refusal(() => aVm().setMemslot(asked))).toBe("ERR_MEMSLOT_FLAGS EINVAL");
    for (const config of [mirror, { kernel: "pvm-6.18" as const }])
      expect(refusal(() => aVm(config).setMemslot(asked))).toBe("ERR_MEMSLOT_BAD_FD EBADF");
  });

  test.each([LOG_DIRTY, READONLY])("are neither logged nor read-only: flag %i", (flag) => {
    const vm = aVm(mirror);
    const memfd = { fd: vm.createGuestMemfd(2 * MiB, 0), offset: 0 };
    const asked = aRegion({ flags: GUEST_MEMFD + flag, memfd });
    expect(refusal(() => vm.setMemslot(asked))).toBe("ERR_MEMSLOT_FLAGS EINVAL");
  });

  test("lend each page to one slot, until that goes", () => {
    const vm = aVm(mirror);
    const fd = vm.createGuestMemfd(4 * MiB, 0);
    const asked = (slot: number, offset: number) =>
      aRegion({ slot, gpa: slot * 4 * MiB, flags: GUEST_MEMFD, memfd: { fd, offset } });
    vm.setMemslot(asked(0, 0));
    expect(refusal(() => vm.setMemslot(asked(1, 2 * MiB - PAGE)))).toBe("ERR_MEMSLOT_MEMFD EINVAL");
    expect(refusal(() => vm.setMemslot(asked(1, 4 * MiB - PAGE)))).toBe("ERR_MEMSLOT_MEMFD EINVAL");
    expect(refusal(() => vm.setMemslot(asked(0, 0)))).toBe("ERR_MEMSLOT_IMMUTABLE EINVAL");
    vm.setMemslot(aRegion({ bytes: 0 }));
    expect(refusal(() => vm.setMemslot(asked(1, 2 * MiB - PAGE)))).toBe("accepted");
  });

  test("have whole pages and no unknown flags", () => {
    expect(refusal(() => aVm(mirror).createGuestMemfd(PAGE, 1))).toBe("ERR_GUEST_MEMFD EINVAL");
    expect(refusal(() => aVm({ kernel: "pvm-6.18" }).createGuestMemfd(PAGE, 3))).toBe("accepted");
    expect(refusal(() => aVm(mirror).createGuestMemfd(PAGE + 1, 0))).toBe("ERR_GUEST_MEMFD EINVAL");
  });
});

describe("kernels", () => {
  test("5.10 has 509 ids, takes slots beyond the last frame, and compares 18 bits of a generation", () => {
    const vm = aVm({ kernel: "5.10" });
    expect(refusal(() => vm.setMemslot(aRegion({ slot: 509 })))).toBe("ERR_MEMSLOT_ID EINVAL");
    expect(refusal(() => vm.setMemslot(aRegion({ slot: 508, gpa: 2 ** 48 })))).toBe("accepted");
    access(vm, MiB, READ);
    expect(vm.leaves({ mmio: true })[0]?.spte).toBe(0x0030000000100016n);
  });

  test("one built without SMM has one address space, and steps by one", () => {
    const vm = aVm({ kernel: "pvm-6.18" });
    expect(refusal(() => vm.setMemslot(aRegion({ slot: 65536 })))).toBe("ERR_MEMSLOT_ADDRESS_SPACE EINVAL");
    vm.setMemslot(aRegion());
    expect(vm.generation(0)).toBe(1);
  });

  test("the older ioctl knows two flags, and says so before it looks at the id", () => {
    const asked = aRegion({ slot: 32764, flags: GUEST_MEMFD });
    expect(refusal(() => aVm().setMemslot({ ...asked, isOldIoctl: true }))).toBe("ERR_MEMSLOT_FLAGS EINVAL");
    expect(refusal(() => aVm().setMemslot(asked))).toBe("ERR_MEMSLOT_ID EINVAL");
  });
});
