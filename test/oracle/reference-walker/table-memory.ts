/** What a walk may ask of guest memory, and nothing else. */
export type Exchange = "done" | "changed-meanwhile" | "read-only-slot" | "no-access";

export interface TableMemory {
  /** Undefined where no slot that userspace may see holds the address, or the process may not read there. */
  read(gpa: bigint, bytes: 4 | 8): bigint | undefined;
  /** Compare-and-swap of one entry. */
  exchange(gpa: bigint, bytes: 4 | 8, old: bigint, next: bigint): Exchange;
  markDirty(gfn: bigint): void;
}
