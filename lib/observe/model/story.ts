/**
 * What a VMM and its guest did, as far as the lines of a recording tell.
 *
 * A story is made of steps; each has the lines that the host printed for it. Faults and unmaps are lines of their own.
 * What a VMM asked for is not: a run of changes without either is a slot that goes, if it begins with a table, and a log
 * that is switched on or taken, if a leaf loses D or W or a huge one is split. What fits none of that has no cause that
 * could be found, and a story says so.
 */
import { type EntryFormat, has, isLeaf, isLink, isPresent } from "../entry.js";
import type { Changed, Faulted, Line } from "../line.js";

export type Deed =
  | { readonly what: "unmap"; readonly start: number; readonly end: number }
  | { readonly what: "fault"; readonly fault: Faulted }
  | { readonly what: "slot goes"; readonly gfn: number }
  | { readonly what: "log"; readonly gfn: number }
  /** An access to an MMIO entry that has become stale; an EPT misconfiguration prints no fault. */
  | { readonly what: "misconfig"; readonly gfn: number }
  | { readonly what: "unknown"; readonly why: string };

export interface Step {
  readonly deed: Deed;
  /** The line that it begins with. */
  readonly line: number;
  readonly lines: readonly Line[];
  /** Another thread printed lines in the middle of it. */
  overlapped: boolean;
  /** The vCPU was seen back in its guest afterwards. */
  isOver: boolean;
}

interface OpenStep extends Step {
  readonly lines: Line[];
  /** A fault's request waits for its leaf. */
  asks: boolean;
}

/** A root's own page is printed before the fault that it is made for. */
const ROOT_LEVEL = 4;
const PAGE = 4096;

export function storyOf(format: EntryFormat, lines: readonly Line[]): Step[] {
  const teller = new Teller(format);
  for (const line of lines) teller.take(line);
  return teller.steps;
}

class Teller {
  readonly steps: OpenStep[] = [];
  readonly #format: EntryFormat;
  /** The step that each thread is in. */
  readonly #latest = new Map<number, OpenStep>();
  readonly #roots = new Map<number, Line[]>();

  constructor(format: EntryFormat) {
    this.#format = format;
  }

  take(line: Line): void {
    const last = this.#latest.get(line.thread);
    if (line.event === "entry" && last !== undefined) last.isOver = true;
    if (isOfNoStep(line)) return;
    if (line.event === "gap" || line.event === "omitted") this.steps.at(-1)?.lines.push(line);
    else if (line.event === "page" && line.level >= ROOT_LEVEL && !last?.asks)
      this.#roots.set(line.thread, [...this.#rootsOf(line), line]);
    else this.#place(line, last);
  }

  #rootsOf({ thread }: Line): Line[] {
    return this.#roots.get(thread) ?? [];
  }

  #place(line: Line, last: OpenStep | undefined): void {
    const deed = deedOf(this.#format, line, last);
    if (deed === undefined && last !== undefined && !last.isOver) {
      last.overlapped ||= this.steps.at(-1) !== last;
      last.asks = line.event === "requested" || (last.asks && line.event !== "set" && line.event !== "mmio");
      last.lines.push(line);
    } else this.#begin(line, deed ?? { what: "unknown", why: "nothing before it says why" });
  }

  #begin(line: Line, deed: Deed): void {
    const before = deed.what === "fault" ? this.#rootsOf(line) : [];
    this.#roots.delete(line.thread);
    const step = {
      deed,
      line: line.number,
      lines: [...before, line],
      overlapped: false,
      asks: deed.what === "misconfig",
      isOver: false,
    };
    this.steps.push(step);
    this.#latest.set(line.thread, step);
  }
}

const isOfNoStep = ({ event }: Line): boolean =>
  event === "entry" || event === "push" || event === "reset" || event === "flush";

const goes = (format: EntryFormat, { level, old, now }: Changed): boolean =>
  isLink(format, old, level) && !isPresent(format, now);

function isLogged(format: EntryFormat, { level, old, now }: Changed): boolean {
  if (!isLeaf(format, old, level) || !isPresent(format, now)) return false;
  if (!isLeaf(format, now, level)) return true;
  return has(old & ~now, format.dirty | format.write) && !has(old ^ now, format.mmuWritable);
}

/** What a line begins, if it is not part of what is going on. */
function deedOf(format: EntryFormat, line: Line, last: OpenStep | undefined): Deed | undefined {
  if (line.event === "unmap") return { what: "unmap", start: line.start, end: line.end };
  if (line.event === "fault") return { what: "fault", fault: line };
  if (line.event === "zap all") return { what: "slot goes", gfn: 0 };
  if (line.event === "requested")
    return asksAnew(last, line.gfn) ? { what: "misconfig", gfn: line.gfn } : undefined;
  const isGoing = last?.deed.what === "slot goes" && !last.isOver;
  if (line.event !== "changed" || isGoing) return undefined;
  if (goes(format, line)) return last?.asks ? undefined : { what: "slot goes", gfn: line.gfn };
  const isSame = last?.deed.what === "log" && !last.isOver && !isAgain(last, line);
  if (!isLogged(format, line) || isSame) return undefined;
  // A fault splits huge leaves, too, but takes no right away.
  return last?.asks && isLink(format, line.now, line.level) ? undefined : { what: "log", gfn: line.gfn };
}

/** An entry that was cleared by this step and written to since: the log is taken another time. */
function isAgain({ lines }: OpenStep, { gfn, level, old }: Changed): boolean {
  const before = lines.findLast((line): line is Changed => {
    return line.event === "changed" && line.gfn === gfn && line.level === level;
  });
  return before !== undefined && before.now !== old;
}

/** A fault asks once, and for its own frame. */
function asksAnew(last: OpenStep | undefined, gfn: number): boolean {
  if (last === undefined || last.isOver || last.deed.what !== "fault") return true;
  const isOther = Math.floor(last.deed.fault.address / PAGE) !== gfn;
  return isOther || last.lines.some(({ event }) => event === "requested");
}
