/**
 * The translations that vCPUs remember: sets of a few, least recently used
 * out. Tagged by root, by which life of that root, and by the issued frame; no
 * entry says that something is not mapped.
 */
import type { Range } from "./frames.js";
import type { RootName } from "./shape.js";

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

export interface TlbEntry extends TlbTag {
  readonly rights: Rights;
  /** Of this very frame, whatever the leaf's size. */
  readonly pfn: number;
  readonly level: number;
  /** A flush that is over should have removed it. */
  overdue: boolean;
}

const isTagged = (entry: TlbEntry, { root, life, issued }: TlbTag): boolean =>
  entry.issued === issued && entry.root === root && entry.life === life;

export class Tlb {
  /** By set number; the least recently used entry comes first. */
  private sets = new Map<number, TlbEntry[]>();

  constructor(
    private readonly setCount: number,
    private readonly ways: number,
  ) {}

  find(tag: TlbTag): TlbEntry | undefined {
    return this.setOf(tag).find((entry) => isTagged(entry, tag));
  }

  refresh(entry: TlbEntry): void {
    this.remove(entry);
    this.setOf(entry).push(entry);
  }

  remove(gone: TlbEntry): void {
    this.keep(gone.issued, (entry) => entry !== gone);
  }

  fill(entry: TlbEntry): void {
    this.keep(entry.issued, (each) => !isTagged(each, entry));
    const set = this.setOf(entry);
    if (set.length === this.ways) set.shift();
    set.push(entry);
  }

  flush(): void {
    this.sets.clear();
  }

  flushRange({ start, end }: Range): void {
    for (const [number, set] of this.sets)
      this.sets.set(
        number,
        set.filter(({ issued }) => issued < start || issued >= end),
      );
  }

  entries(): TlbEntry[] {
    return [...this.sets.values()].flat();
  }

  private keep(issued: number, isKept: (entry: TlbEntry) => boolean): void {
    this.sets.set(issued % this.setCount, this.setOf({ issued }).filter(isKept));
  }

  private setOf({ issued }: Pick<TlbTag, "issued">): TlbEntry[] {
    const number = issued % this.setCount;
    const set = this.sets.get(number) ?? [];
    this.sets.set(number, set);
    return set;
  }
}
