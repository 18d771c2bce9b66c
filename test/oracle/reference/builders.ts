/** Short words for the model's own tests: a VM, a region, an access. */
import { ReferenceMmu } from "../reference-mmu.js";
import type { Paging } from "./paging.js";
import { presetNamed, shapeOf } from "./presets.js";
import type { Leaf } from "./spte.js";
import {
  type EventKind,
  type ReferenceConfig,
  type ReferenceOutcome,
  Refusal,
  type Region,
} from "./types.js";

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;
export const HVA = 2 ** 40;

export function aVm(config: Partial<ReferenceConfig> = {}): ReferenceMmu {
  const width = { addressBits: 48, rootLevel: 4, hostMaxphyaddr: 48 };
  const shape = shapeOf(presetNamed(config.preset ?? "none")) ?? width;
  const hostMaxphyaddr = shape.addressBits;
  return new ReferenceMmu({ ...shape, hostMaxphyaddr, vcpus: 1, policy: "none", ...config });
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
  kind: Exclude<EventKind, "access" | "attributes">,
  gpa = 0,
  bytes = 0,
) {
  return vm.apply({ kind, gpa, bytes, access: 0, vcpu: 0 });
}

export function convertTo(vm: ReferenceMmu, to: "private" | "shared", gpa: number, bytes = 4 * KiB) {
  return vm.apply({ kind: "attributes", gpa, bytes, access: to === "private" ? 1 : 0, vcpu: 0 });
}

/** The tree behind the direct root, to look at or to tamper with. */
export function treeOf({ state }: ReferenceMmu): Paging {
  if (state.tdp === undefined) throw new Error("a VM of flavour tdp was expected");
  return state.tdp.tree("direct");
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
  ...{ adDisabled: false, saved: undefined },
  ...leaf,
});
