/**
 * What the lines so far say is mapped: tables, and the entry of each frame in them.
 *
 * A line names neither root nor table, so a change finds its table by frame and level, and where several tables span
 * the frame (roots of one VM, a root that goes beside the one that came) by what the entry held. What no line has told
 * is unknown and raises nothing.
 */
import { addressOf, type EntryFormat, framesOf, isFrozen, isLeaf, isLink, roundedTo } from "./entry.js";
import type { Changed } from "./line.js";

export interface KnownEntry {
  readonly spte: bigint;
  /** The line that said so; 0 if it follows from the table's making. */
  readonly line: number;
}

/** A table whose link went: its entries go one by one, by the same thread. */
export interface Going {
  readonly line: number;
  readonly thread: number;
  /** Entries whose going was printed. */
  printed: number;
  /** Frames where the next entry's going is expected, if those of empty entries are printed. */
  next: number;
  /** Whether an empty entry's going was printed, so that all 512 are. */
  each: boolean;
  /** Some lines of it are missing, and it is known which: nothing can be concluded. */
  cut: boolean;
}

export interface Table {
  readonly asId: number;
  /** Of its entries. */
  readonly level: number;
  readonly gfn: number;
  /** Undefined for a table that was there before the trace. */
  readonly address: bigint | undefined;
  readonly entries: Map<number, KnownEntry>;
  /** Entries that are not in the map hold this; undefined: nobody knows. */
  readonly fill: bigint | undefined;
  readonly link: number;
  going: Going | undefined;
}

export interface Found {
  readonly table: Table;
  /** Undefined if nobody knows. */
  readonly entry: KnownEntry | undefined;
  /** Tables that span the frame at that level. */
  readonly candidates: number;
}

const HIGHEST_LEVEL = 5;

const keyOf = (asId: number, level: number, gfn: number): string =>
  `${asId}/${level}/${roundedTo(gfn, level + 1)}`;

export class Known {
  readonly format: EntryFormat;
  readonly #tables = new Map<string, Table[]>();
  readonly #goings = new Set<Table>();

  constructor(format: EntryFormat) {
    this.format = format;
  }

  /** The tables that span a frame with entries of a level. */
  tables(asId: number, level: number, gfn: number): readonly Table[] {
    return this.#tables.get(keyOf(asId, level, gfn)) ?? [];
  }

  /** What a table is known to hold for a frame. */
  entry(table: Table, gfn: number): KnownEntry | undefined {
    const at = roundedTo(gfn, table.level);
    const known = table.entries.get(at);
    if (known !== undefined || table.entries.has(at)) return known;
    return table.fill === undefined ? undefined : { spte: table.fill, line: table.link };
  }

  /** Where a change belongs; undefined if no table is known there. */
  find(line: Changed): Found | undefined {
    const tables = this.tables(line.asId, line.level, line.gfn);
    if (tables.length === 0) return undefined;
    const ranked = tables.map((table) => ({ table, rank: this.#rank(table, line) }));
    const [best] = ranked.sort((a, b) => b.rank - a.rank);
    const { table } = best as { table: Table };
    return { table, entry: this.entry(table, line.gfn), candidates: tables.length };
  }

  /** A leaf that maps a frame, of any table that stays. */
  leafOf(asId: number, gfn: number): { readonly level: number; readonly entry: KnownEntry } | undefined {
    for (const level of [1, 2, 3]) {
      for (const table of this.tables(asId, level, gfn)) {
        const entry = table.going === undefined ? this.entry(table, gfn) : undefined;
        if (entry !== undefined && isLeaf(this.format, entry.spte, level)) return { level, entry };
      }
    }
    return undefined;
  }

  /** An entry that holds what a lockless fix found, made what it left. */
  fix(gfn: number, old: bigint, now: bigint, line: number): void {
    for (const level of [1, 2, 3]) {
      for (const table of this.tables(0, level, gfn)) {
        if (this.entry(table, gfn)?.spte !== old) continue;
        table.entries.set(roundedTo(gfn, level), { spte: now, line });
        return;
      }
    }
  }

  apply(line: Changed): void {
    // A line that was damaged may name any level; a check says so.
    if (line.level < 1 || line.level > HIGHEST_LEVEL) return;
    const found = this.find(line);
    const table =
      found?.table ??
      this.#add(line.asId, line.level, line.gfn, { address: undefined, fill: undefined, link: 0 });
    if (table.going !== undefined) this.#goes(table, table.going, line);
    else table.entries.set(roundedTo(line.gfn, line.level), { spte: line.now, line: line.number });
    if (line.level === 1) return;
    if (isLink(this.format, line.old, line.level)) this.#unlink(line);
    if (isLink(this.format, line.now, line.level)) this.#link(line);
  }

  /** Entries of a level from frame to frame: unknown from here on. */
  forget(level: number, first: number, last: number): void {
    for (const tables of this.#tables.values()) {
      for (const table of tables) {
        if (table.level === level) forgetIn(table, first, last);
      }
    }
  }

  /** Nothing is known any more. */
  clear(): void {
    this.#tables.clear();
    this.#goings.clear();
  }

  /** Tables that go; those of a thread, or of all. */
  *goings(thread?: number): Generator<Table> {
    for (const table of this.#goings) {
      if (thread === undefined || table.going?.thread === thread) yield table;
    }
  }

  /** A table that went is gone. */
  drop(table: Table): void {
    this.#goings.delete(table);
    const key = keyOf(table.asId, table.level, table.gfn);
    const left = (this.#tables.get(key) ?? []).filter((other) => other !== table);
    if (left.length === 0) this.#tables.delete(key);
    else this.#tables.set(key, left);
  }

  #rank(table: Table, line: Changed): number {
    const entry = this.entry(table, line.gfn);
    const isOfGoing = table.going?.thread === line.thread && this.#isGone(line.now);
    const fits = entry === undefined ? 1 : entry.spte === line.old ? 4 : 0;
    const stays = table.going === undefined ? 1 : 0;
    return fits * 2 + (isOfGoing ? 3 : stays);
  }

  #isGone(spte: bigint): boolean {
    return isFrozen(this.format, spte) || (this.format.release === "5.10" && spte === 0n);
  }

  #add(
    asId: number,
    level: number,
    gfn: number,
    made: { address: bigint | undefined; fill: bigint | undefined; link: number },
  ): Table {
    const table: Table = {
      asId,
      level,
      gfn: roundedTo(gfn, level + 1),
      entries: new Map(),
      going: undefined,
      ...made,
    };
    const key = keyOf(asId, level, gfn);
    this.#tables.set(key, [...(this.#tables.get(key) ?? []), table]);
    return table;
  }

  #goes(table: Table, going: Going, line: Changed): void {
    const at = roundedTo(line.gfn, line.level);
    going.printed++;
    going.next = at + framesOf(table.level);
    if (line.old === this.format.empty) going.each = true;
    table.entries.set(at, { spte: line.now, line: line.number });
  }

  #unlink({ asId, level, gfn, old, number, thread }: Changed): void {
    const below = this.tables(asId, level - 1, roundedTo(gfn, level)).filter(
      ({ gfn: first, going }) => first === roundedTo(gfn, level) && going === undefined,
    );
    const table =
      below.find(({ address }) => address === addressOf(old)) ??
      below.find(({ address }) => address === undefined) ??
      this.#add(asId, level - 1, roundedTo(gfn, level), {
        address: addressOf(old),
        fill: undefined,
        link: 0,
      });
    this.#goings.add(table);
    table.going = { line: number, thread, printed: 0, next: table.gfn, each: false, cut: false };
  }

  #link({ asId, level, gfn, old, now, number }: Changed): void {
    const wasLeaf = isLeaf(this.format, old, level);
    const fill = wasLeaf ? undefined : this.format.empty;
    const base = roundedTo(gfn, level);
    const table = this.#add(asId, level - 1, base, { address: addressOf(now), fill, link: number });
    if (wasLeaf) this.#fillSplit(table, old, number);
  }

  /** KVM: make_small_spte(): the huge entry's bits, the part's frame, and no PS in the last level. */
  #fillSplit(table: Table, huge: bigint, line: number): void {
    const span = framesOf(table.level);
    const plain = table.level === 1 ? huge & ~this.format.huge : huge;
    for (let i = 0; i < 512; i++) {
      const spte = plain + (BigInt(i * span) << 12n);
      table.entries.set(table.gfn + i * span, { spte, line });
    }
  }
}

function forgetIn(table: Table, first: number, last: number): void {
  const span = framesOf(table.level);
  const from = Math.max(first, table.gfn);
  const to = Math.min(last, table.gfn + 511 * span);
  if (from > to) return;
  const unknown = undefined as unknown as KnownEntry;
  for (let gfn = roundedTo(from, table.level); gfn <= to; gfn += span) table.entries.set(gfn, unknown);
  if (table.going !== undefined) {
    table.going.cut = true;
    table.going.next = roundedTo(to, table.level) + span;
  }
}
