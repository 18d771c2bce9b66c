/**
 * The part of the library that speaks of aliases, under the names that this
 * test reads it by. Whatever the library's types do not say yet is said here,
 * and nowhere else in the tests.
 */
import type { Outcome, Vm, VmConfig } from "../../../lib/index.js";
import type { LeafCount } from "../reference/report.js";
import type { FlushScope, ReferenceConfig } from "../reference/types.js";
import { createKept } from "./native-vm.js";

interface Flushed {
  readonly flush: FlushScope;
  readonly flushedPages: number;
}

interface TableList {
  readonly level: Uint8Array;
  readonly parents: Uint32Array;
}

interface AliasVm {
  setAttributes(gpa: number, bytes: number, to: "private" | "shared"): Outcome;
  invalidateHva(hva: number, bytes: number): Outcome;
  flushes(): Record<"none" | "range" | "full" | "pages", number>;
  violations(): readonly { rule: string; count: number; firstEvent: number }[];
  advisories(): readonly { rule: string; count: number; firstEvent: number }[];
  readonly coexisting: number;
  isPrivate(gpa: number): boolean;
  leafCounts(): readonly LeafCount[];
  tableList(): TableList;
  rmapCount(gpa: number): number;
}

const aliasVm = (vm: Vm): AliasVm => vm as unknown as AliasVm;

export function createFor(config: ReferenceConfig): Vm {
  const { addressBits, hostMaxphyaddr, vcpus, policy: strategy, preset = "none" } = config;
  const given = {
    ...{ addressBits, hostMaxphyaddr, vcpus, alias: { strategy, preset } },
    rootLevel: config.rootLevel === 5 ? 5 : 4,
    mmu: config.mmu ?? "tdp",
    flushProvider: config.flushProvider ?? "none",
    tlb: config.tlb ?? false,
    internalSlots: config.internalSlots ?? false,
    externalTables: config.externalTables ?? "ok",
    convertOnExit: config.convertOnExit ?? false,
    kernel: config.kernel ?? "6.16",
    host: config.host ?? {},
  };
  const vm = createKept(given as unknown as VmConfig, config.dirtyRing ?? 0);
  if (config.limitsPages !== true) vm.setMmuPages(2 ** 20);
  return vm;
}

export function flushedBy(outcome: Outcome): Flushed {
  const { flush, flushedPages } = outcome as Outcome & Flushed;
  return { flush, flushedPages };
}

export function setAttributes(vm: Vm, gpa: number, bytes: number, isPrivate: boolean): Outcome {
  return aliasVm(vm).setAttributes(gpa, bytes, isPrivate ? "private" : "shared");
}

export function invalidateHva(vm: Vm, hva: number, bytes: number): Outcome {
  return aliasVm(vm).invalidateHva(hva, bytes);
}

export function aliasViewOf(given: Vm) {
  const vm = aliasVm(given);
  return {
    flushes: () => vm.flushes(),
    violations: () => vm.violations(),
    advisories: () => vm.advisories(),
    coexisting: () => vm.coexisting,
    isPrivate: (gpa: number) => vm.isPrivate(gpa),
    rmapCount: (gpa: number) => vm.rmapCount(gpa),
    leafCounts: () => vm.leafCounts(),
    tablePages: () => {
      const { level, parents } = vm.tableList();
      return Array.from(level, (each, i) => ({ level: each, parents: parents[i] ?? 0 }));
    },
  };
}
