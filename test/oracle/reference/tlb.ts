/**
 * The translations that vCPUs remember: arrays of sets of a few, least
 * recently used out. Tagged by root, by which life of that root, and by the
 * issued frames; no entry says that something is not mapped.
 */
import { floorTo, meets, type Range, rangeAt, span } from "./frames.js";
import type { RootName } from "./shape.js";
import type { TlbArrayShape } from "./tlb-shape.js";

export interface Rights {
  readonly r: boolean;
  readonly w: boolean;
  readonly x: boolean;
}

export interface TlbTag {
  readonly root: RootName;
  /** How often the root was made anew. */
  readonly life: number;
  readonly issued: number;
}

export interface TlbEntry {
  readonly root: RootName;
  readonly life: number;
  /** The first frame that it covers, as issued. */
  readonly first: number;
  /** Level whose entries cover as much: 1 for 4K, 2 for 2M, 3 for 1G. */
  readonly size: number;
  readonly rights: Rights;
  /** Of the first frame. */
  readonly pfn: number;
  /** Of the leaf that it is from. */
  readonly level: number;
  /** Frames that a flush which is over should have removed. */
  readonly overdue: Set<number>;
}

export const SIZES = [1, 2, 3];

export const coverOf = ({ first, size }: TlbEntry): Range => rangeAt(first, size);

/** A leaf of which there are parts goes with all of them (Intel SDM vol. 3, 4.10.4.1). */
const leafOf = ({ first, size, level }: TlbEntry): Range => rangeAt(first, Math.max(size, level));

/** A place for entries of several sizes; the least recently used comes first. */
type TlbSet = TlbEntry[];

export class Tlb {
  /** By array, then by number. */
  private readonly sets: TlbSet[][];

  constructor(private readonly arrays: readonly TlbArrayShape[]) {
    this.sets = arrays.map(({ entries, ways }) => Array.from({ length: entries / ways }, () => []));
  }

  /** The smallest that has the frame. */
  find(tag: TlbTag): TlbEntry | undefined {
    return SIZES.flatMap((size) => this.sized(tag, size))[0];
  }

  /** As long as what is asked for is larger than anything held, a part of it. */
  heldSize(level: number): number {
    const held = SIZES.filter(
      (size) => size <= level && this.arrays.some(({ sizes }) => sizes.includes(size)),
    );
    return Math.max(...held);
  }

  refresh(entry: TlbEntry): void {
    const set = this.setOf(entry.size, entry.first);
    set.push(...set.splice(set.indexOf(entry), 1));
  }

  remove(entry: TlbEntry): void {
    const set = this.setOf(entry.size, entry.first);
    set.splice(set.indexOf(entry), 1);
  }

  fill(entry: TlbEntry): void {
    const { root, life, first, size } = entry;
    for (const same of this.sized({ root, life, issued: first }, size)) this.remove(same);
    const set = this.setOf(size, first);
    if (set.length === this.waysOf(set)) set.shift();
    set.push(entry);
  }

  flush(): void {
    for (const set of this.sets.flat()) set.length = 0;
  }

  flushRange(range: Range): void {
    for (const entry of this.entries()) if (meets(leafOf(entry), range)) this.remove(entry);
  }

  entries(): TlbEntry[] {
    return this.sets.flat(2);
  }

  private sized({ root, life, issued }: TlbTag, size: number): TlbEntry[] {
    const first = floorTo(issued, size);
    return this.setsFor(size).length === 0
      ? []
      : this.setOf(size, first).filter(
          (each) => each.root === root && each.life === life && each.size === size && each.first === first,
        );
  }

  /** All sets that take pages of the size, array after array, counted through. */
  private setsFor(size: number): TlbSet[] {
    return this.arrays.flatMap(({ sizes }, i) => (sizes.includes(size) ? (this.sets[i] ?? []) : []));
  }

  private setOf(size: number, frame: number): TlbSet {
    const sets = this.setsFor(size);
    return sets[Math.floor(frame / span(size)) % sets.length] as TlbSet;
  }

  private waysOf(set: TlbSet): number {
    return this.arrays[this.sets.findIndex((array) => array.includes(set))]?.ways ?? 0;
  }
}
