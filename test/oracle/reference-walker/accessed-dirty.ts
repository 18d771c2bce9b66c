/**
 * Accessed and Dirty, set from the top table down once a walk has succeeded.
 * KVM: FNAME(update_accessed_dirty_bits) (v6.16).
 */
import { WRITE } from "./access.js";
import { has } from "./bits.js";
import type { TableMemory } from "./table-memory.js";

/** One entry that the walk has read. */
export interface Step {
  /** Where in memory it lies. */
  readonly gpa: bigint;
  /** Its table's frame as the pointer to it says, before any second level: what KVM marks dirty. */
  readonly frame: bigint;
  readonly level: number;
  readonly entry: bigint;
}

/** Where a format keeps its marks. */
export interface Marks {
  readonly entryBytes: 4 | 8;
  readonly accessed: bigint;
  readonly dirty: bigint;
  /** Asked before Dirty is set, even where the entry cannot be written; false if there is no room. */
  readonly logDirty?: () => boolean;
}

/** What was written before a failure or a change by another stays written. */
export function setAccessedDirty(
  memory: TableMemory,
  marks: Marks,
  steps: readonly Step[],
  access: bigint,
): "done" | "changed-meanwhile" | "no-access" | "log-full" {
  for (const step of steps) {
    // Dirty belongs to the last alone.
    const dirties = step === steps.at(-1) && has(access, WRITE) && !has(step.entry, marks.dirty);
    if (dirties && marks.logDirty?.() === false) return "log-full";
    const next = step.entry | marks.accessed | (dirties ? marks.dirty : 0n);
    if (next === step.entry) continue;
    const outcome = memory.exchange(step.gpa, marks.entryBytes, step.entry, next);
    // A table in a read-only slot keeps its entries as they are, and nobody is told.
    if (outcome === "read-only-slot") continue;
    if (outcome !== "done") return outcome;
    memory.markDirty(step.frame);
  }
  return "done";
}
