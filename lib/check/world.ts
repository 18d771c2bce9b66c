/**
 * A small world: the fewest pages, vCPUs and slots in which aliases can go
 * wrong, and what may happen there. Only types, and the addresses that every
 * world shares.
 *
 * An operation is a few calls of a VM in a row, with a sentence for whoever
 * reads the path to a violation. What one vCPU may do, every other may too.
 */
import { KiB, MiB, TiB } from "../address.js";
import type { EventKind } from "../columns/layout.js";
import type { VmConfig } from "../config/types.js";

/** One call of a VM, as data: a witness can be kept and lived again. */
export type CheckStep =
  | {
      readonly is: "event";
      readonly kind: EventKind;
      readonly gpa: number;
      readonly bytes: number;
      readonly vcpu: number;
      /** 1 read, 2 write, 4 fetch; of `attributes` 1 for private. */
      readonly access: number;
    }
  /** KVM_SET_USER_MEMORY_REGION; `backing` is a level, 1 to 3. */
  | {
      readonly is: "memslot";
      readonly slot: number;
      readonly flags: number;
      readonly gpa: number;
      readonly bytes: number;
      readonly hva: number;
      readonly backing: number;
    }
  | { readonly is: "mtrr"; readonly msr: number; readonly value: number };

export interface CheckOperation {
  /** "vCPU 0 writes 0x200000". */
  readonly says: string;
  readonly steps: readonly CheckStep[];
  /** Which of two interchangeable pages it is about: states that differ only in which page is which are looked at once. */
  readonly symmetry: "none" | "first" | "second";
}

/** What distinguishes one small world from another. */
export interface Setting {
  readonly strategy: string;
  readonly mmu: "tdp" | "rmap";
  readonly preset: string;
  readonly kind: "none" | "attribute" | "private-shared" | "stripped";
  readonly isExecuteOnly: boolean;
  /** Offset of each alias; the first is 0. */
  readonly aliases: readonly number[];
  /** `none`, `hyperv`, `fail:<k>`. */
  readonly flushProvider: string;
  /** Level of the host's pages: 1 for 4K, 2 for 2M. */
  readonly backing: 1 | 2;
  readonly memoryTypes: boolean;
  /** Whether the host's tables have Accessed and Dirty bits. */
  readonly adBits: boolean;
  /** Whether the hardware logs dirty pages. */
  readonly pml: boolean;
  /** Whether vCPUs have entries for 2M pages and remember links: paging-structure caches. */
  readonly largeTlb: boolean;
  readonly internalSlots: boolean;
}

export interface CheckBound {
  /** Most operations in a row: 1 to 255. */
  readonly operations: number;
  /** Most states of one world that are kept: some 40 bytes each. */
  readonly states: number;
  /** Audit after every operation, not only in every new state. */
  readonly auditsAll: boolean;
}

export interface SmallWorld {
  /** "bits:47, 2M, hyperv". */
  readonly name: string;
  readonly config: VmConfig;
  readonly setup: readonly CheckStep[];
  readonly operations: readonly CheckOperation[];
}

/** A kind of operation: one file in `operations/`, which exports one of these by default. */
export type OperationKind = (setting: Setting) => readonly CheckOperation[];

export const VCPUS = 2;
export const PAGE = 4 * KiB;
/** The one slot: as large as a 2M page, at the second of them. */
export const SLOT = {
  slot: 0,
  gpa: 2 * MiB,
  bytes: 2 * MiB,
  hva: TiB + 2 * MiB,
};
/** Its first two pages, which nobody can tell apart: one group of eight, one huge page. */
export const PAGES: readonly number[] = [SLOT.gpa, SLOT.gpa + PAGE];

/** Of the host's page behind it. */
export const hvaOf = (page: number): number => SLOT.hva + (page - SLOT.gpa);

export const symmetryOf = (page: number): CheckOperation["symmetry"] =>
  page === PAGES[0] ? "first" : page === PAGES[1] ? "second" : "none";

type EventStep = Extract<CheckStep, { is: "event" }>;

/** An event with everything that is not said at 0. */
export const event = (
  kind: EventKind,
  { gpa = 0, bytes = 0, vcpu = 0, access = 0 }: Partial<EventStep> = {},
): CheckStep => ({ is: "event", kind, gpa, bytes, vcpu, access });
