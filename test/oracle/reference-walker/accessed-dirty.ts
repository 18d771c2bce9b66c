/**
 * Accessed and Dirty, set from the top table down once a walk has succeeded.
 * KVM: FNAME(update_accessed_dirty_bits) (v6.16).
 */
import { WRITE } from "./access.js";
import { has, PAGE_SHIFT } from "./bits.js";
import { ACCESSED, DIRTY } from "./entries.js";
import type { Shape } from "./modes.js";
import type { TableMemory } from "./table-memory.js";

/** One entry that the walk has read. */
export interface Step {
  readonly gpa: bigint;
  readonly level: number;
  readonly entry: bigint;
}

/** The entry as the access leaves it; Dirty belongs to the last alone. */
const used = (entry: bigint, isLeaf: boolean, access: bigint): bigint =>
  entry | ACCESSED | (isLeaf && has(access, WRITE) ? DIRTY : 0n);

/** What was written before a failure or a change by another stays written. */
export function setAccessedDirty(
  memory: TableMemory,
  shape: Shape,
  steps: readonly Step[],
  access: bigint,
): "done" | "changed-meanwhile" | "no-access" {
  for (const step of steps) {
    const next = used(step.entry, step === steps.at(-1), access);
    if (next === step.entry) continue;
    const outcome = memory.exchange(step.gpa, shape.entryBytes, step.entry, next);
    // A table in a read-only slot keeps its entries as they are, and nobody is told.
    if (outcome === "read-only-slot") continue;
    if (outcome !== "done") return outcome;
    memory.markDirty(step.gpa >> PAGE_SHIFT);
  }
  return "done";
}
