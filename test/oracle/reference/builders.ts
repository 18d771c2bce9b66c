/** Short words for the model's own tests: a VM, a region, an access. */
import { ReferenceMmu } from "../reference-mmu.js";
import type { Leaf } from "./spte.js";
import { type ReferenceConfig, type ReferenceOutcome, Refusal, type Region } from "./types.js";

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const HVA = 2 ** 40;

export function aVm(config: Partial<ReferenceConfig> = {}): ReferenceMmu {
  const width = { addressBits: 48, rootLevel: 4, hostMaxphyaddr: 48 };
  return new ReferenceMmu({ ...width, vcpus: 1, policy: "none", ...config });
}

export function aRegion(region: Partial<Region> = {}): Region {
  const { gpa = 0, bytes = 2 * MiB } = region;
  return { slot: 0, flags: 0, gpa, bytes, hva: HVA + gpa, backing: 1, ...region };
}

export function withSlot(region: Partial<Region> = {}, config: Partial<ReferenceConfig> = {}): ReferenceMmu {
  const vm = aVm(config);
  vm.setMemslot(aRegion(region));
  return vm;
}

export function access(vm: ReferenceMmu, gpa: number, bits: number): ReferenceOutcome {
  return vm.apply({ kind: "access", gpa, bytes: 0, access: bits, vcpu: 0 });
}

export function operate(
  vm: ReferenceMmu,
  kind: "zap" | "zap-all-fast" | "dirty-log-get",
  gpa = 0,
  bytes = 0,
) {
  return vm.apply({ kind, gpa, bytes, access: 0, vcpu: 0 });
}

export function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
  return "accepted";
}

/** Writable, at 4K unless said otherwise. */
export const aLeaf = (leaf: Partial<Leaf> = {}): Leaf => ({
  ...{ level: 1, gfn: 0, pfn: 0x12345, r: true, w: true, x: true },
  ...{ accessed: true, dirty: true, hostWritable: true, mmuWritable: true },
  ...leaf,
});
