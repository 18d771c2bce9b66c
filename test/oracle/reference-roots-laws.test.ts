/** Laws of shadow roots that the recorded VMs could not show, held by the reference. */
import { describe, expect, test } from "vitest";
import { cpuRole, rootRole } from "./reference-roots/roles.js";
import { RootCache } from "./reference-roots/root-cache.js";
import type { ShadowPage } from "./reference-roots/shadow-pages.js";
import { ShadowVm } from "./reference-roots/vm.js";
import { AT_RESET, type Registers } from "./reference-walker/registers.js";

const PAGING = 0x8001_0031n;
const PAE = 0x20n;
const LONG: Partial<Registers> = { cr0: PAGING, cr4: PAE, efer: 0x500n };

const registers = (some: Partial<Registers>): Registers => ({ ...AT_RESET, ...some });
const RAM = { base: 0n, pages: 256n, isReadOnly: false, logsDirty: false };

function vmWith(some: Partial<Registers>, pdptrs: readonly bigint[] = []) {
  const vm = new ShadowVm();
  vm.createVcpu();
  vm.setSlot(0, RAM);
  const vcpu = vm.vcpus[0] as (typeof vm.vcpus)[0];
  vcpu.registers = registers(some);
  if (pdptrs.length > 0) vcpu.pdptrs = pdptrs as unknown as typeof vcpu.pdptrs;
  return { vm, vcpu };
}

describe("a role word", () => {
  test.each<[string, Partial<Registers>, number]>([
    ["of paging off has no bit of the registers", { cr0: 0x10031n, cr4: 0x300020n }, 0x1783],
    ["of four levels has WP", LONG, 0x3704],
    ["of five levels has the fifth", { ...LONG, cr4: 0x1020n }, 0x3705],
    ["without WP has SMEP and SMAP", { ...LONG, cr0: 0x8000_0031n, cr4: 0x30_0020n }, 0xd704],
    ["with WP has neither SMEP nor SMAP", { ...LONG, cr4: 0x30_0020n }, 0x3704],
    ["of 32-bit paging is of PAE's level and says so", { cr0: PAGING }, 0x3713],
    ["of PAE has no small entries", { cr0: PAGING, cr4: PAE }, 0x3703],
  ])("%s", (_, some, word) => {
    expect(rootRole(registers(some)).toString(16)).toBe(word.toString(16));
  });

  test("of a root has NX, whether the guest has it or not", () => {
    expect([cpuRole(registers(LONG)) & 0x1000, rootRole(registers(LONG)) & 0x1000]).toEqual([0, 0x1000]);
  });
});

describe("tables of PAE", () => {
  test("shadow a table of 32-bit paging a quarter each", () => {
    const { vm, vcpu } = vmWith({ cr0: PAGING, cr3: 0x3000n });
    expect(vm.load(vcpu)).toBe(true);
    expect(vcpu.roots.current).toMatchObject({
      kind: "pae",
      pages: [0x3712, 0x3732, 0x3752, 0x3772].map((role) => ({ gfn: 3n, role })),
    });
  });

  test("stand on the root entries that are present and lead into a slot", () => {
    const entries = [0x5001n, 0x6000n, 0x100_0001n, 0x7001n];
    const { vm, vcpu } = vmWith({ cr0: PAGING, cr4: PAE, cr3: 0x3000n }, entries);
    vm.load(vcpu);
    expect(vcpu.roots.current).toMatchObject({ kind: "pae", pages: [{ gfn: 5n }, { gfn: 7n }] });
    expect(vm.statistics.miss).toBe(2);
  });
});

describe("roots that a vCPU had before", () => {
  const page = (role: number): ShadowPage => ({ gfn: 1n, role, generation: 0, roots: 1, isInvalid: false });
  const load = (cache: RootCache, pgd: bigint, role: number) => {
    if (!cache.switchTo(pgd, role)) cache.current = { kind: "page", page: page(role), pgd };
  };

  test("are three, and the one longest away goes first", () => {
    const gone: ShadowPage[] = [];
    const cache = new RootCache((pages) => gone.push(...pages));
    for (const role of [1, 2, 3, 4, 5]) load(cache, 0x1000n, role);
    expect(gone.map(({ role }) => role)).toEqual([1]);
    expect([cache.switchTo(0x1000n, 2), cache.switchTo(0x1000n, 1)]).toEqual([true, false]);
  });

  test("hit by role and CR3 together, and never once they are invalid", () => {
    const cache = new RootCache(() => undefined);
    load(cache, 0x1000n, 1);
    load(cache, 0x2000n, 1);
    expect(cache.switchTo(0x1000n, 1)).toBe(true);
    const { current } = cache;
    if (current?.kind === "page") current.page.isInvalid = true;
    expect(cache.switchTo(0x1000n, 1)).toBe(false);
  });

  test("are never the dummy root", () => {
    const cache = new RootCache(() => undefined);
    cache.current = { kind: "dummy" };
    load(cache, 0x1000n, 1);
    cache.dropAll();
    expect(cache.current).toBeUndefined();
  });
});

test("a slot that arrives leaves a dummy root, and one that goes drops it", () => {
  const { vm, vcpu } = vmWith({ ...LONG, cr3: 0x200_0000n });
  vm.load(vcpu);
  vm.setSlot(1, { ...RAM, base: 0x2000n });
  vm.load(vcpu);
  expect([vcpu.roots.current?.kind, vm.statistics.miss]).toEqual(["dummy", 0]);
  vm.setSlot(0, { ...RAM, pages: 0n });
  vm.load(vcpu);
  expect([vcpu.roots.current?.kind, vm.statistics.miss]).toEqual(["page", 1]);
});
