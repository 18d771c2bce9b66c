/**
 * What a VMM and its guest did, as far as the lines of a recording tell.
 *
 * A story is made of steps; each has the lines that the host printed for it.
 * Faults and unmaps are lines of their own. What a VMM asked for is not: a run
 * of changes without either is a slot that goes, if it begins with a table, and
 * a log that is switched on, if a leaf loses D or a huge one is split.
 */
import { isDirty, isLeaf, isPresent } from "./entries.js";
import type { Line } from "./lines.js";

export type Changed = Extract<Line, { event: "changed" }>;
export type Faulted = Extract<Line, { event: "fault" }>;

export type Deed =
  | { readonly what: "unmap"; readonly start: number; readonly end: number }
  | { readonly what: "fault"; readonly fault: Faulted }
  | { readonly what: "slot goes"; readonly gfn: number }
  | { readonly what: "log on"; readonly gfn: number };

export interface Step {
  readonly deed: Deed;
  readonly lines: readonly Line[];
}

const goes = ({ level, old, now }: Changed): boolean =>
  isPresent(old) && !isLeaf(old, level) && !isPresent(now);
const losesDirty = ({ level, old, now }: Changed): boolean =>
  isLeaf(old, level) && isLeaf(now, level) && isDirty(old) && !isDirty(now);
const isSplit = ({ level, old, now }: Changed): boolean =>
  isLeaf(old, level) && isPresent(now) && !isLeaf(now, level);

export function storyOf(lines: readonly Line[]): Step[] {
  const steps: { deed: Deed; lines: Line[] }[] = [];
  for (const line of lines) {
    const last = steps.at(-1);
    const deed = deedOf(line, last?.deed);
    if (deed !== undefined) steps.push({ deed, lines: [line] });
    else if (last !== undefined) last.lines.push(line);
    else throw new Error(`a recording that begins in the middle of something: ${JSON.stringify(line, text)}`);
  }
  return steps;
}

const text = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? value.toString(16) : value;

/** What a line begins, if it is not part of what is going on. */
function deedOf(line: Line, last: Deed | undefined): Deed | undefined {
  if (line.event === "unmap") return { what: "unmap", start: line.start, end: line.end };
  if (line.event === "fault") return { what: "fault", fault: line };
  if (line.event !== "changed" || last?.what === "slot goes") return undefined;
  if (goes(line)) return { what: "slot goes", gfn: line.gfn };
  const logs = losesDirty(line) || isSplit(line);
  return logs && last?.what !== "log on" ? { what: "log on", gfn: line.gfn } : undefined;
}
