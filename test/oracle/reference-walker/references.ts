/** What a walk reads of memory, in order: the guest's own entries, and those of the second level. */
import type { TableMemory } from "./table-memory.js";

export interface Reference {
  readonly kind: "own" | "beneath";
  readonly gpa: bigint;
}

export class References {
  readonly all: Reference[] = [];

  /** The same memory, every read of which is remembered as one of this kind; where there is none, nothing is read. */
  of(kind: Reference["kind"], memory: TableMemory): TableMemory {
    return {
      read: (gpa, bytes) => {
        const entry = memory.read(gpa, bytes);
        if (entry !== undefined) this.all.push({ kind, gpa });
        return entry;
      },
      exchange: memory.exchange.bind(memory),
      markDirty: memory.markDirty.bind(memory),
    };
  }
}
