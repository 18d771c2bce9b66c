/**
 * A story: a VM, what it is given at first, and what then happens to it, all as
 * data. What minimising works on, and what everything that is shown of a
 * witness is made from. Only types, and what they are built of.
 */
import { PAGE_SIZES, type PageSize } from "../address.js";
import type { CheckStep } from "../check/world.js";
import type { VmConfig } from "../config/types.js";
import { ID_STEP, MEMSLOT_FLAGS } from "../memslot-numbers.js";
import type { Memslots } from "../memslots.js";

/** One event, as `EventBatch` has it. */
export type EventStep = Extract<CheckStep, { is: "event" }>;
/** KVM_SET_USER_MEMORY_REGION. */
export type SlotStep = Extract<CheckStep, { is: "memslot" }>;

export interface Story {
  readonly config: VmConfig;
  readonly slots: readonly SlotStep[];
  readonly steps: readonly CheckStep[];
  /** Of each step the number of the trace's event that it was; absent for what was never in one. */
  readonly numbers?: readonly number[];
}

/** Which rule is to fire. */
export interface Target {
  readonly rule: string;
  /** Id of the known defect behind it, `""` if it is none. */
  readonly defect: string;
  /** Found by audits: the state is looked at when all has happened. */
  readonly byAudit: boolean;
}

/** The memslots of a VM, as the steps that make them. */
export function slotStepsOf(memslots: Memslots): SlotStep[] {
  return [...memslots].map(({ id, asId, gpa, bytes, hva, backing, readonly, dirtyLogging }) => ({
    ...{ is: "memslot", slot: asId * ID_STEP + id, gpa, bytes, hva },
    flags: (dirtyLogging ? MEMSLOT_FLAGS.logDirty : 0) + (readonly ? MEMSLOT_FLAGS.readonly : 0),
    backing: PAGE_SIZES.indexOf(backing),
  }));
}

export const pageSizeOf = ({ backing }: SlotStep): PageSize => PAGE_SIZES[backing] ?? "4K";

/** Kinds whose range is of host-virtual addresses. */
const HVA_KINDS: readonly string[] = ["hva-invalidate", "hva-begin", "hva-end", "age", "test-age"];

export const isHvaStep = (step: CheckStep): boolean => step.is === "event" && HVA_KINDS.includes(step.kind);
