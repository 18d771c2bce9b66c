/** The questions that a GPA alias strategy answers; `policies.ts` has the answers. */
import type { PresetKind } from "./presets.js";
import type { Flavour, Result } from "./types.js";

export interface AliasPolicy {
  readonly flavours: readonly Flavour[];
  /** Kinds of alias bits that it is for; `stripped` bits never reach it. */
  readonly presets: readonly PresetKind[];
  /** Whether it knows of alias bits: if not, each is an ordinary bit of an address. */
  readonly knowsAliases: boolean;
  /** Which form of a frame a memslot holds. Issued: each slot has a twin for every other alias. */
  readonly slotFrames: "canonical" | "issued";
  /** Which form indexes the tables that KVM walks (tdp), or names a shadow page (rmap). */
  readonly tableFrames: "issued" | "canonical";
  /** Under private/shared bits, private addresses have a root of their own. */
  readonly privateRoot: boolean;
  /** Pages behind private addresses: of their own, or the slot's. */
  readonly privatePages: "own" | "slot";
  readonly smallLeavesOnly: boolean;
  /** Whether a leaf has its alias' rights, or those of alias 0. */
  readonly aliasRights: boolean;
  /** An access that contradicts the memory attribute of its frame exits. */
  readonly checksAttribute: boolean;
  /** A private access to a hole, or a write to read-only memory; undefined: as a shared one. */
  readonly privateToNothing: Extract<Result, "memoryFault" | "error"> | undefined;
  /** Aliases through which KVM's own slots are seen; `shared` is alias 0 where there is no such thing. */
  readonly internalSlots: "every" | "home" | "shared";
  /** A fault on a frame that another alias maps. */
  readonly onConflict: "ignore" | "zap-leaf" | "zap-rmap";
  /** Private leaves when the host takes its memory back. */
  readonly onHostUnmap: "zap" | "keep" | "block";
  /** Private leaves in a zap: as any, blocked and flushed one by one, or blocked first. */
  readonly privateZap: "plain" | "each-flushed" | "blocked-first";
  /** When a slot goes: every direct root, then perhaps private leaves; or only its leaves. */
  readonly slotGone: "direct-roots" | "direct-roots-then-private" | "leaves";
  /** When the attribute of frames changes: the other alias' leaves go, with this flush. */
  readonly onConversion: "store" | "zap-flush-all" | "zap-flush-range";
  readonly countsCoexisting: boolean;
  readonly forbidsCoexisting: boolean;
  readonly flushPlan: "as-given" | "v5-as-posted" | "v5-as-reviewed" | "both-aliases" | "live-aliases";
  readonly takesRangeProvider: boolean;
  /** Neighbours of a fault that are not mapped ahead. */
  readonly prefetchSkips: "nothing" | "private" | "private-or-mapped";
  readonly externalTables: boolean;
}
