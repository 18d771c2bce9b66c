/**
 * What a projection is: a trace without alias bits becomes one with them,
 * while it streams.
 *
 * A kind of projection, one file in `kinds/`, says through which alias each
 * access goes; where rows go and when a page is converted is the same for all
 * of them and not its business. It must not know VMs or traces.
 */
import type { Gpa } from "../address.js";
import type { EventBatch } from "../columns/event-batch.js";

/** What the machine is that a trace is projected onto. */
export interface ProjectionContext {
  /** Offset of every alias of a gpa: ascending, the first 0, multiples of the second. */
  readonly aliases: readonly Gpa[];
  /** What the alias bits mean; `stripped`: hardware takes them away. */
  readonly kind: "none" | "attribute" | "private-shared" | "stripped";
  /** Whether alias 1 may fetch and do nothing else. */
  readonly executeOnly: boolean;
  /** Memslots of address space 0. */
  readonly memslots: readonly ProjectedMemslot[];
  /** The guest's bounce buffer, if the capture names it. */
  readonly bounce?: { readonly start: Gpa; readonly end: Gpa } | undefined;
  /** Whether KVM's own slots exist (TSS, identity map, APIC access page). */
  readonly internalSlots: boolean;
}

export interface ProjectedMemslot {
  readonly gpa: Gpa;
  readonly bytes: number;
  /** @default false */
  readonly readonly?: boolean | undefined;
}

/** One pass of a trace through a projection. It keeps state: use a new one for each pass. */
export interface Projection {
  /** As it would be written in full; undefined if none was asked for. */
  readonly text: string | undefined;
  /** Rows that were inserted so far: 4K pages that changed from private to shared or back. */
  readonly conversions: number;
  /**
   * Takes rows of `source` from row `from`, and appends what becomes of them
   * to `into`, until that is full or the source ends. Returns the first row not
   * taken, where the next call must go on.
   *
   * @throws TraceError for an access whose address carries an alias bit;
   * MmuError `ERR_BUSY` unless `into` is being filled
   */
  project(source: EventBatch, from: number, into: EventBatch): number;
}

/** Where each access of one pass goes. Asked once for each, in order. */
export interface AliasChoice {
  /** The projection in its normal form. */
  readonly text: string;
  /**
   * Index of the alias.
   *
   * @param gpa without alias bits
   * @param gfn the frame of `gpa`
   * @param access bits of the `access` column
   */
  next(gpa: Gpa, gfn: number, access: number): number;
}

/** A kind of projection; the default export of a file in `kinds/`. */
export interface ProjectionKind {
  /** The word before the colon, and the name of its file. */
  readonly name: string;
  /** How it is written, such as `churn:<n>,<seed>`. */
  readonly syntax: string;
  /** One line for a list of projections. */
  readonly summary: string;
  /** Whether ROM and MMIO stay at alias 0 under a preset whose aliases are attributes. */
  readonly ramOnly: boolean;
  /** Why this machine cannot have it: what completes "project must be". Undefined if it can. */
  refusal?(context: ProjectionContext): string | undefined;
  /**
   * Begins a pass.
   *
   * @param text all of it, the name included
   * @throws TypeError or RangeError with code `ERR_CONFIG` if it is written wrongly
   */
  open(text: string, context: ProjectionContext): AliasChoice;
}

/** Types a kind of projection. */
export function defineProjection(kind: ProjectionKind): ProjectionKind {
  return Object.freeze(kind);
}
