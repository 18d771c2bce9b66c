/**
 * Which frames are private. Kept as disjoint ranges, since one event may speak
 * of the whole address space. KVM: the mem_attr_array of a VM (v6.16), where
 * absent means shared.
 */
import type { Range } from "./frames.js";

export class Attributes {
  /** Private ranges, in no order, none touching another's frames. */
  private ranges: Range[] = [];

  isPrivate(frame: number): boolean {
    return this.ranges.some(({ start, end }) => frame >= start && frame < end);
  }

  /** The parts of the range that are private now. */
  privateIn(range: Range): Range[] {
    return this.ranges.flatMap((each) => common(each, range));
  }

  /** The parts of the range that another value than this one would change. */
  differing(range: Range, isPrivate: boolean): Range[] {
    return isPrivate ? without([range], this.ranges) : this.privateIn(range);
  }

  set(range: Range, isPrivate: boolean): void {
    this.ranges = without(this.ranges, [range]);
    if (isPrivate) this.ranges.push(range);
  }
}

export function common(a: Range, b: Range): Range[] {
  const [start, end] = [Math.max(a.start, b.start), Math.min(a.end, b.end)];
  return start < end ? [{ start, end }] : [];
}

function without(ranges: readonly Range[], holes: readonly Range[]): Range[] {
  return holes.reduce<Range[]>(
    (rest, hole) =>
      rest.flatMap((each) => [
        ...common(each, { start: Number.NEGATIVE_INFINITY, end: hole.start }),
        ...common(each, { start: hole.end, end: Number.POSITIVE_INFINITY }),
      ]),
    [...ranges],
  );
}
