/** What a place in a table may hold, and what a walk ends on. */
import type { Leaf } from "./spte.js";

export type Entry =
  | { readonly kind: "empty" }
  | { readonly kind: "table" }
  | { readonly kind: "leaf"; readonly leaf: Leaf }
  /** gfn: the frame that the entry names, in the form of a memslot's. */
  | { readonly kind: "mmio"; readonly generation: number; readonly gfn: number }
  /** Not present, its page remembered. Private leaves of 4K may become so. */
  | { readonly kind: "blocked"; readonly pfn: number };

export type Mmio = Extract<Entry, { kind: "mmio" }>;

export interface Walk {
  /** The first entry, from the root down, that is not a link. */
  readonly entry: Entry;
  readonly level: number;
  readonly tablesRead: number;
}
