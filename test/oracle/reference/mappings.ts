/**
 * What both flavours can say of their tables, so that an operation on a range
 * or a slot is written once.
 */

import type { Walk } from "./entries.js";
import type { Range } from "./frames.js";
import type { Slot } from "./memslots.js";
import type { RootName } from "./shape.js";
import type { Leaf } from "./spte.js";

/** One entry that remembers a page: a leaf, or a blocked one, which has none. */
export interface Spot {
  readonly root: RootName;
  readonly level: number;
  /** First frame under the entry, in the form that indexes the table. */
  readonly frame: number;
  readonly leaf: Leaf | undefined;
  /** The entry becomes empty. */
  clear(): void;
  /** The leaf is no longer present, and its page is remembered. */
  block(): void;
}

/** An entry at the end of a hardware walk. */
export interface Reached {
  readonly root: RootName;
  /** First frame, as issued. */
  readonly frame: number;
  readonly entry: Extract<Walk["entry"], { kind: "leaf" | "mmio" }>;
}

export interface TablePage {
  readonly root: RootName;
  readonly level: number;
  readonly parents: number;
}

/** A table, as long as it is there: made anew it is another. */
export type Table = object;

export interface Mappings {
  /** A vCPU that runs has a root. */
  loadRoot(root: RootName): void;
  hasRoot(root: RootName): boolean;
  /** By every bit of an issued frame. A root that is missing reads as an empty one. */
  walk(root: RootName, issued: number): Walk;
  /** Where hardware's walk gets by the link at `level`; undefined if it does not get so far, or finds no link. */
  linked(root: RootName, level: number, issued: number): Table | undefined;
  /** Entries for these frames of memslots, as KVM's range operations find them. */
  spotsIn(range: Range): Spot[];
  /** The same for the frames of one slot. */
  spotsOf(slot: Slot): Spot[];
  /** Present leaves, whether a walk reaches them or not. */
  leaves(): Leaf[];
  reached(root: RootName): Reached[];
  /** Every direct root goes: leaves and MMIO entries, and table pages, that went. */
  dropDirect(): { entries: number; pages: number };
  tables(): TablePage[];
  /** How many reverse-map entries a frame has, all levels. */
  reverseCount(frame: number): number;
}
