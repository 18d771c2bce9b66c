/**
 * What the host's own page tables say of guest memory: all of it readable,
 * writable and resident, as its slot has it, but for what is set here.
 */
import { common } from "./attributes.js";
import { isAligned, type Range, span } from "./frames.js";

export type HostState = "readwrite" | "readonly" | "none" | "poison" | "io";

export interface HostMapping {
  readonly state: HostState;
  /** Of the first page, the others follow; undefined: as if nothing was set. */
  readonly pfn?: number | undefined;
  /** Largest page that the host uses here. @default 1 */
  readonly level?: number;
}

/** `range`: host pages. */
interface Piece extends HostMapping {
  readonly range: Range;
}

export class HostMemory {
  /** None meets another. */
  private pieces: Piece[] = [];

  set(range: Range, mapping: HostMapping): void {
    this.forget(range);
    this.pieces.push({ ...mapping, range });
  }

  forget(range: Range): void {
    this.pieces = this.pieces.flatMap((piece) => [
      ...part(piece, { start: Number.NEGATIVE_INFINITY, end: range.start }),
      ...part(piece, { start: range.end, end: Number.POSITIVE_INFINITY }),
    ]);
  }

  stateOf(page: number): HostState {
    return this.pieceAt(page)?.state ?? "readwrite";
  }

  /** Undefined where it is not said. */
  pfnOf(page: number): number | undefined {
    const piece = this.pieceAt(page);
    return piece?.pfn === undefined ? undefined : piece.pfn + (page - piece.range.start);
  }

  /** A page that had to be read in is there now, by itself. */
  makeResident(page: number): void {
    const pfn = this.pfnOf(page);
    this.set({ start: page, end: page + 1 }, { state: "readwrite", pfn, level: 1 });
  }

  /** Whether one host page of that level, or a larger one, may be behind the pages from `first` on. */
  allows(first: number, level: number, backing: number): boolean {
    const whole = { start: first, end: first + span(level) };
    const met = this.pieces.filter(({ range }) => common(range, whole).length > 0);
    const [piece] = met;
    if (piece === undefined) return level <= backing;
    const isOne = piece.range.start <= whole.start && piece.range.end >= whole.end;
    const isCongruent = isAligned(this.pfnOf(first) ?? 0, level);
    const isMapped = piece.state === "readwrite" || piece.state === "readonly";
    return isOne && isMapped && isCongruent && level <= (piece.level ?? 1);
  }

  private pieceAt(page: number): Piece | undefined {
    return this.pieces.find(({ range }) => page >= range.start && page < range.end);
  }
}

function part(piece: Piece, kept: Range): Piece[] {
  return common(piece.range, kept).map((range) => {
    const pfn = piece.pfn === undefined ? undefined : piece.pfn + (range.start - piece.range.start);
    return { ...piece, range, pfn };
  });
}
