/**
 * Arithmetic on frame numbers. Plain division and multiplication: a frame has
 * up to 40 bits, more than JavaScript's bit operators hold.
 */

export const PAGE_BYTES = 4096;

/** Pages under one entry of `level`: 1 for a 4 KiB page, 512 for 2 MiB, ... */
export function span(level: number): number {
  return 512 ** (level - 1);
}

/** First frame under the entry of `level` that covers `gfn`. */
export function floorTo(gfn: number, level: number): number {
  return gfn - (gfn % span(level));
}

export function isAligned(frame: number, level: number): boolean {
  return frame % span(level) === 0;
}

export function frameOf(address: number): number {
  return Math.floor(address / PAGE_BYTES);
}

/** Half-open ranges of frames. */
export function overlaps(aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
  return aStart < bEnd && bStart < aEnd;
}

/** Frames [start, end). */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The frames under the entry of `level` that covers `frame`. */
export function rangeAt(frame: number, level: number): Range {
  const start = floorTo(frame, level);
  return { start, end: start + span(level) };
}

export const sizeOf = ({ start, end }: Range): number => end - start;

export function meets(a: Range, b: Range): boolean {
  return overlaps(a.start, a.end, b.start, b.end);
}

export const moved = ({ start, end }: Range, by: number): Range => ({ start: start + by, end: end + by });
