/** A recording replayed in the model, as far as its causes can be found. */
import type { Vm } from "../../vm.js";
import { type EntryFormat, isEmpty } from "../entry.js";
import type { Changed, Line } from "../line.js";
import type { HostGuess } from "./host.js";
import { type Beside, type Difference, sideBySide } from "./side-by-side.js";
import { type Step, storyOf } from "./story.js";

export interface Followed {
  readonly host: HostGuess;
  readonly steps: number;
  /** Lines that agree. */
  readonly agreed: number;
  /** Lines of the model where the recording has a hole. */
  readonly setAside: readonly string[];
  readonly difference: (Difference & { readonly deed: string }) | null;
  /** Where and why the model stopped before the end; null if it did not. */
  readonly stopped: { readonly line: number; readonly why: string } | null;
}

export interface FollowOptions extends Beside {
  readonly lines: readonly Line[];
  readonly host: HostGuess;
  makeVm(): Vm;
}

/** Why the model cannot begin; undefined if it can. */
export function whyNot(
  format: EntryFormat,
  lines: readonly Line[],
): { line: number; why: string } | undefined {
  const first = lines.find((line): line is Changed => line.event === "changed");
  if (first === undefined) return { line: 1, why: "no entry changes in it" };
  if (first.level >= 4 && isEmpty(format, first.old)) return undefined;
  return {
    line: first.number,
    why: "the trace begins in the middle: tables were there before its first line, and what they held is not known",
  };
}

export function follow(options: FollowOptions): Followed {
  const { lines, host, format } = options;
  const nothing = { host, steps: 0, agreed: 0, setAside: [], difference: null };
  const start = whyNot(format, lines);
  if (start !== undefined) return { ...nothing, stopped: start };
  const { steps, stopped } = upToTheUnknown(storyOf(format, lines));
  const run = new Run(host, steps);
  try {
    return run.play(options) ?? run.result(null, stopped);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return run.result(null, { line: run.line, why: `the model refuses to do it: ${error.message}` });
  }
}

/** A recording may have addresses and slots that no such VM can have. */
const isRefusal = (error: unknown): error is Error =>
  error instanceof Error && "code" in error && String(error.code).startsWith("ERR_");

class Run {
  readonly #host: HostGuess;
  readonly #steps: readonly Step[];
  readonly #setAside: string[] = [];
  #done = 0;
  #agreed = 0;

  constructor(host: HostGuess, steps: readonly Step[]) {
    this.#host = host;
    this.#steps = steps;
  }

  /** Of the step that is at work. */
  get line(): number {
    return this.#steps[this.#done]?.line ?? 1;
  }

  /** Undefined if nothing differs. */
  play({ host, makeVm, format, read }: FollowOptions): Followed | undefined {
    using vm = makeVm();
    vm.setTrace(host.release.value);
    for (const { agreed, setAside, difference, deed } of sideBySide(vm, this.#steps, { format, read })) {
      this.#agreed += agreed;
      this.#setAside.push(...setAside);
      if (difference !== undefined) return this.#differing({ ...difference, deed });
      this.#done++;
    }
    return undefined;
  }

  result(difference: Followed["difference"], stopped: Followed["stopped"]): Followed {
    const [steps, agreed, setAside] = [this.#done, this.#agreed, this.#setAside];
    return { host: this.#host, steps, agreed, setAside, difference, stopped };
  }

  #differing(difference: NonNullable<Followed["difference"]>): Followed {
    const { line } = difference;
    const step = this.#steps[this.#done];
    const isLast = this.#done === this.#steps.length - 1;
    if (step?.overlapped) {
      const why = "two threads were at work at once, and which came first cannot be told";
      return this.result(null, { line, why });
    }
    if (isLast && !step?.isOver && difference.recorded === undefined) {
      return this.result(null, { line, why: "the recording ends in the middle of something" });
    }
    return this.result(difference, null);
  }
}

function upToTheUnknown(all: readonly Step[]): Pick<Followed, "stopped"> & { steps: readonly Step[] } {
  const at = all.findIndex(({ deed, lines }) => deed.what === "unknown" || lines.some(isLoss));
  const step = all[at];
  if (step === undefined) return { steps: all, stopped: null };
  if (step.deed.what === "unknown") {
    return {
      steps: all.slice(0, at),
      stopped: { line: step.line, why: `no cause was found: ${step.deed.why}` },
    };
  }
  const loss = step.lines.find(isLoss) as Line;
  const isEnd = at === all.length - 1;
  const why = "lines are missing from there on, and what was mapped after them is not known";
  return { steps: all.slice(0, at + 1), stopped: isEnd ? null : { line: loss.number, why } };
}

const isLoss = ({ event }: Line): boolean => event === "gap";
