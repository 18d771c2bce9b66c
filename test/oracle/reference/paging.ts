/**
 * The one paging tree, without a tree: sets of what exists, keyed by level and
 * frame. An entry is whatever these sets say about its place. Slow by design:
 * anything that concerns a range looks at everything.
 */
import { floorTo, overlaps, span } from "./frames.js";
import type { Leaf } from "./spte.js";

export type Entry =
  | { readonly kind: "empty" }
  | { readonly kind: "table" }
  | { readonly kind: "leaf"; readonly leaf: Leaf }
  | { readonly kind: "mmio"; readonly generation: number };

export interface Walk {
  /** The first entry, from the root down, that is not a link. */
  readonly entry: Entry;
  readonly level: number;
  readonly tablesRead: number;
}

const entryKey = (level: number, gfn: number): string => `${level}:${floorTo(gfn, level)}`;
// A table is named by the level of its entries and the first frame under it.
const tableKey = (level: number, gfn: number): string => `${level}:${floorTo(gfn, level + 1)}`;

export class Paging {
  readonly leaves = new Map<string, Leaf>();
  /** Frame to generation. MMIO entries exist at level 1 only. */
  readonly mmio = new Map<number, number>();
  readonly tables = new Set<string>();

  constructor(readonly rootLevel: number) {}

  get hasRoot(): boolean {
    return this.tables.has(tableKey(this.rootLevel, 0));
  }

  /** A vCPU has a root before it runs; after a drop it is made anew. */
  loadRoot(): void {
    this.tables.add(tableKey(this.rootLevel, 0));
  }

  entryAt(level: number, gfn: number): Entry {
    const leaf = this.leaves.get(entryKey(level, gfn));
    if (leaf !== undefined) return { kind: "leaf", leaf };
    const generation = level === 1 ? this.mmio.get(gfn) : undefined;
    if (generation !== undefined) return { kind: "mmio", generation };
    const below = level > 1 && this.tables.has(tableKey(level - 1, gfn));
    return { kind: below ? "table" : "empty" };
  }

  walk(gfn: number): Walk {
    let level = this.rootLevel;
    while (this.entryAt(level, gfn).kind === "table") level -= 1;
    return { entry: this.entryAt(level, gfn), level, tablesRead: this.rootLevel - level + 1 };
  }

  /** Links an empty table under the entry of `level`. */
  link(level: number, gfn: number): void {
    this.tables.add(tableKey(level - 1, gfn));
  }

  /** Puts a leaf in its place, whatever was there. */
  put(leaf: Leaf): void {
    this.clear(leaf.level, leaf.gfn);
    this.leaves.set(entryKey(leaf.level, leaf.gfn), leaf);
  }

  putMmio(gfn: number, generation: number): void {
    this.clear(1, gfn);
    this.mmio.set(gfn, generation);
  }

  remove(leaf: Leaf): void {
    this.leaves.delete(entryKey(leaf.level, leaf.gfn));
  }

  /** A huge leaf becomes a table of 512 leaves that say the same. */
  split(leaf: Leaf): void {
    this.remove(leaf);
    this.link(leaf.level, leaf.gfn);
    const level = leaf.level - 1;
    for (let i = 0; i < 512; i++) {
      const offset = i * span(level);
      const child = { ...leaf, level, gfn: leaf.gfn + offset, pfn: leaf.pfn + offset };
      this.leaves.set(entryKey(level, child.gfn), child);
    }
  }

  /** Leaves that map any frame of [start, end), lowest frame first. */
  leavesIn(start: number, end: number): Leaf[] {
    return [...this.leaves.values()]
      .filter((leaf) => overlaps(leaf.gfn, leaf.gfn + span(leaf.level), start, end))
      .sort((a, b) => a.gfn - b.gfn);
  }

  /** First frames of the present links at `level`, lowest first. */
  linksAt(level: number): number[] {
    return [...this.tables]
      .map((key) => key.split(":").map(Number) as [number, number])
      .filter(([tableLevel]) => tableLevel === level - 1)
      .map(([, gfn]) => gfn)
      .sort((a, b) => a - b);
  }

  /** Drops every root. Returns how many leaves and MMIO entries went. */
  dropEverything(): number {
    const dropped = this.leaves.size + this.mmio.size;
    this.leaves.clear();
    this.mmio.clear();
    this.tables.clear();
    return dropped;
  }

  /** Table pages by level, index 0 unused. */
  tableCounts(): number[] {
    const counts = [0, 0, 0, 0, 0, 0];
    for (const key of this.tables) {
      const level = Number(key.split(":")[0]);
      counts[level] = (counts[level] ?? 0) + 1;
    }
    return counts;
  }

  /** Empties the entry at `level`, with all that hangs below it. */
  private clear(level: number, gfn: number): void {
    const isTable = this.entryAt(level, gfn).kind === "table";
    this.leaves.delete(entryKey(level, gfn));
    if (level === 1) this.mmio.delete(gfn);
    if (isTable) this.clearBelow(level, floorTo(gfn, level));
  }

  private clearBelow(level: number, start: number): void {
    const end = start + span(level);
    for (const leaf of this.leavesIn(start, end)) this.remove(leaf);
    for (const gfn of [...this.mmio.keys()]) if (gfn >= start && gfn < end) this.mmio.delete(gfn);
    for (const key of [...this.tables]) {
      const [tableLevel = 0, gfn = 0] = key.split(":").map(Number);
      if (tableLevel < level && gfn >= start && gfn < end) this.tables.delete(key);
    }
  }
}
