/**
 * One paging tree, without a tree: sets of what exists, keyed by level and
 * frame. An entry is whatever these sets say about its place. Slow by design:
 * anything that concerns a range looks at everything.
 */
import type { Entry, Mmio, Walk } from "./entries.js";
import { floorTo, overlaps, type Range, span } from "./frames.js";
import type { Table } from "./mappings.js";
import { childOf, type Leaf } from "./spte.js";

const entryKey = (level: number, gfn: number): string => `${level}:${floorTo(gfn, level)}`;
// A table is named by the level of its entries and the first frame under it.
const tableKey = (level: number, gfn: number): string => `${level}:${floorTo(gfn, level + 1)}`;

const placeOf = (key: string): { level: number; gfn: number } => {
  const [level = 0, gfn = 0] = key.split(":").map(Number);
  return { level, gfn };
};

/** What the iTLB workaround knows of a fault that makes tables. */
export interface NxMark {
  /** Nothing huge may come of it. */
  readonly isSmall: boolean;
  /** Level that a leaf would have otherwise. */
  readonly requested: number;
}

const NO_MARK: NxMark = { isSmall: false, requested: 1 };

export class Paging {
  readonly leaves = new Map<string, Leaf>();
  /** By frame. MMIO entries exist at level 1 only. */
  readonly mmio = new Map<number, Mmio>();
  /** Frame to pfn, at level 1. */
  readonly blocked = new Map<number, number>();
  readonly tables = new Map<string, Table>();
  /** Those of them that an instruction fetch made where a huge page could be, and ... */
  private readonly nxTables = new Set<string>();
  /** ... those that could give way to one again, oldest first. */
  recoverable: string[] = [];

  constructor(readonly rootLevel: number) {}

  get hasRoot(): boolean {
    return this.tables.has(tableKey(this.rootLevel, 0));
  }

  /** A vCPU has a root before it runs; after a drop it is made anew. */
  loadRoot(): void {
    if (!this.hasRoot) this.tables.set(tableKey(this.rootLevel, 0), {});
  }

  entryAt(level: number, gfn: number): Entry {
    const leaf = this.leaves.get(entryKey(level, gfn));
    if (leaf !== undefined) return { kind: "leaf", leaf };
    const mmio = level === 1 ? this.mmio.get(gfn) : undefined;
    if (mmio !== undefined) return mmio;
    const pfn = level === 1 ? this.blocked.get(gfn) : undefined;
    if (pfn !== undefined) return { kind: "blocked", pfn };
    const below = level > 1 && this.tables.has(tableKey(level - 1, gfn));
    return { kind: below ? "table" : "empty" };
  }

  walk(gfn: number): Walk {
    let level = this.rootLevel;
    while (this.entryAt(level, gfn).kind === "table") level -= 1;
    return { entry: this.entryAt(level, gfn), level, tablesRead: this.rootLevel - level + 1 };
  }

  /** The table that the link at `level` leads to, as far as a walk gets there. */
  linked(level: number, gfn: number): Table | undefined {
    for (let above = this.rootLevel; above >= level; above--)
      if (this.entryAt(above, gfn).kind !== "table") return undefined;
    return this.tables.get(tableKey(level - 1, gfn));
  }

  /** Links an empty table under the entry of `level`. */
  link(level: number, gfn: number, nx: NxMark = NO_MARK): void {
    const key = tableKey(level - 1, gfn);
    this.tables.set(key, {});
    if (nx.isSmall) this.nxTables.add(key);
    if (nx.isSmall && nx.requested >= level) this.recoverable.push(key);
  }

  /** Whether the table under the entry of `level` stands in for a huge page that must not be executed. */
  isNxTable(level: number, gfn: number): boolean {
    return this.nxTables.has(tableKey(level - 1, gfn));
  }

  /** First frame of the table that has waited longest for its huge page. */
  oldestRecoverable(): number | undefined {
    return this.recoverable[0] === undefined ? undefined : placeOf(this.recoverable[0]).gfn;
  }

  /** It is as any other table from now on. */
  forgetOldest(): void {
    const key = this.recoverable.shift();
    if (key !== undefined) this.nxTables.delete(key);
  }

  /** It goes, with all that hangs below it; the leaves are returned. */
  zapOldest(): Leaf[] {
    const { level, gfn } = placeOf(this.recoverable[0] ?? "");
    const gone = this.leavesIn(gfn, gfn + span(level + 1));
    this.clear(level + 1, gfn);
    return gone;
  }

  /** Puts a leaf in its place, whatever was there. */
  put(leaf: Leaf): void {
    this.clear(leaf.level, leaf.gfn);
    this.leaves.set(entryKey(leaf.level, leaf.gfn), leaf);
  }

  putMmio(frame: number, generation: number, gfn: number): void {
    this.clear(1, frame);
    this.mmio.set(frame, { kind: "mmio", generation, gfn });
  }

  remove(leaf: Leaf): void {
    this.leaves.delete(entryKey(leaf.level, leaf.gfn));
  }

  /** Empties the place of a leaf or of a blocked entry. */
  empty(level: number, gfn: number): void {
    this.leaves.delete(entryKey(level, gfn));
    if (level === 1) this.blocked.delete(gfn);
  }

  block(leaf: Leaf): void {
    this.remove(leaf);
    this.blocked.set(leaf.gfn, leaf.pfn);
  }

  /** A huge leaf becomes a table of 512 leaves that say the same. */
  split(leaf: Leaf, isNxWorkedAround: boolean, nx: NxMark = NO_MARK): void {
    this.remove(leaf);
    this.link(leaf.level, leaf.gfn, nx);
    for (let i = 0; i < 512; i++) {
      const child = childOf(leaf, i, isNxWorkedAround);
      this.leaves.set(entryKey(child.level, child.gfn), child);
    }
  }

  /** Frames of blocked entries in the range, lowest first. */
  blockedIn({ start, end }: Range): number[] {
    return [...this.blocked.keys()].filter((gfn) => gfn >= start && gfn < end).sort((a, b) => a - b);
  }

  /** Leaves that map any frame of [start, end), lowest frame first. */
  leavesIn(start: number, end: number): Leaf[] {
    return [...this.leaves.values()]
      .filter((leaf) => overlaps(leaf.gfn, leaf.gfn + span(leaf.level), start, end))
      .sort((a, b) => a.gfn - b.gfn);
  }

  /** First frames of the present links at `level`, lowest first. */
  linksAt(level: number): number[] {
    return [...this.tables.keys()]
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
    this.blocked.clear();
    this.tables.clear();
    this.nxTables.clear();
    this.recoverable = [];
    return dropped;
  }

  /** Level and first frame of every table. */
  tablePages(): { level: number; frame: number }[] {
    return [...this.tables.keys()].map((key) => {
      const { level, gfn: frame } = placeOf(key);
      return { level, frame };
    });
  }

  /** Empties the entry at `level`, with all that hangs below it. */
  private clear(level: number, gfn: number): void {
    const isTable = this.entryAt(level, gfn).kind === "table";
    this.leaves.delete(entryKey(level, gfn));
    if (level === 1) this.mmio.delete(gfn);
    if (level === 1) this.blocked.delete(gfn);
    if (isTable) this.clearBelow(level, floorTo(gfn, level));
  }

  private clearBelow(level: number, start: number): void {
    const end = start + span(level);
    for (const leaf of this.leavesIn(start, end)) this.remove(leaf);
    for (const map of [this.mmio, this.blocked])
      for (const gfn of [...map.keys()]) if (gfn >= start && gfn < end) map.delete(gfn);
    for (const key of [...this.tables.keys()]) {
      const table = placeOf(key);
      if (table.level < level && table.gfn >= start && table.gfn < end) this.removeTable(key);
    }
  }

  private removeTable(key: string): void {
    this.tables.delete(key);
    this.nxTables.delete(key);
    this.recoverable = this.recoverable.filter((each) => each !== key);
  }
}
