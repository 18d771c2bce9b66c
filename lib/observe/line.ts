/**
 * One event of KVM's tracepoints, as far as it is about what the MMU maps.
 *
 * Only types. Frames and guest-physical addresses are numbers, entries are not: they use all 64 bits.
 */

/** Where an event stands. */
export interface At {
  /** The line, from 1. */
  readonly number: number;
  /** Seconds; 0 where the clock counts something else. */
  readonly time: number;
  /** Of the thread that KVM ran in; 0 if the recorder does not print it. */
  readonly thread: number;
}

export interface Unmapped extends At {
  readonly event: "unmap";
  readonly start: number;
  readonly end: number;
}
export interface Faulted extends At {
  readonly event: "fault";
  /** Undefined if neither the line nor the thread's name tells. */
  readonly vcpu: number | undefined;
  readonly address: number;
  readonly code: bigint;
}
export interface Requested extends At {
  readonly event: "requested";
  readonly gfn: number;
  readonly pfn: bigint;
  readonly level: number;
}
export interface Changed extends At {
  readonly event: "changed";
  readonly asId: number;
  readonly gfn: number;
  readonly level: number;
  readonly old: bigint;
  readonly now: bigint;
}
export interface SetEntry extends At {
  readonly event: "set";
  readonly gfn: number;
  readonly spte: bigint;
  /** `rwxu`, with dashes. */
  readonly rights: string;
  readonly level: number;
  /** Physical address of the entry. */
  readonly at: number;
}
export interface FixedFast extends At {
  readonly event: "fast";
  readonly vcpu: number;
  readonly address: number;
  readonly old: bigint;
  readonly now: bigint;
  readonly spurious: boolean;
  readonly fixed: boolean;
}
export interface MarkedMmio extends At {
  readonly event: "mmio";
  readonly gfn: number;
  readonly access: number;
  readonly generation: number;
}
export interface Split extends At {
  readonly event: "split";
  readonly gfn: number;
  readonly spte: bigint;
  readonly level: number;
  readonly error: number;
}
export interface PageLine extends At {
  readonly event: "page" | "page goes";
  readonly gfn: number;
  readonly level: number;
  /** The rest of its words. */
  readonly says: string;
}
export interface ZapAll extends At {
  readonly event: "zap all";
  readonly generation: number;
}
export interface Pushed extends At {
  readonly event: "push" | "reset";
  readonly ring: number;
  readonly dirty: number;
  readonly reset: number;
  readonly used: number;
}
export interface Flushed extends At {
  readonly event: "flush";
  /** What the hypercall returned. */
  readonly result: number;
}
/** A vCPU goes back to its guest. */
export interface Entered extends At {
  readonly event: "entry";
  readonly vcpu: number;
}
/** Lines that somebody left out: changes of one level, first to last frame, each like the line before. */
export interface Omitted extends At {
  readonly event: "omitted";
  readonly gfn: number;
  readonly last: number;
  readonly level: number;
}
/** Lines that are missing, nobody knows which: dropped by the recorder, or left out without saying what. */
export interface Gap extends At {
  readonly event: "gap";
  /** Events that the recorder dropped; undefined for lines that a person left out. */
  readonly lost: number | undefined;
}

export type Line =
  | Unmapped
  | Faulted
  | Requested
  | Changed
  | SetEntry
  | FixedFast
  | MarkedMmio
  | Split
  | PageLine
  | ZapAll
  | Pushed
  | Flushed
  | Entered
  | Omitted
  | Gap;
