/**
 * A recording beside a VM that is made to do the same.
 *
 * Both print lines; what must agree is the order of requests, changes and leaves, and of each change frame, level, and
 * what the entries say before and after. Kinds of lines that the recorder did not listen to are left out of the VM's.
 * Where lines were left out of the recording, the VM's lines of that place are set aside and counted.
 */
import type { Vm } from "../../vm.js";
import { accessOf } from "../access.js";
import { type EntryFormat, has, isEmpty, isFrozen, isLeaf } from "../entry.js";
import type { Changed, Line, Omitted } from "../line.js";
import { claimOf } from "./claims.js";
import { explain, nameOfDeed } from "./explain.js";
import { Memory, regionsOf } from "./memory.js";
import type { Step } from "./story.js";

/** What a request names as the host frame where no slot is. */
const NO_SLOT = 1n << 63n;
const PAGE = 4096;

export interface Difference {
  /** The recorded line, or the last one before where the model's stands. */
  readonly line: number;
  /** Undefined where the recording has no line any more. */
  readonly recorded: string | undefined;
  readonly model: string | undefined;
  readonly why: string;
}

export interface ComparedStep {
  readonly deed: string;
  readonly line: number;
  /** Lines that agree. */
  readonly agreed: number;
  readonly setAside: readonly string[];
  /** The first lines that do not agree; undefined if all do. */
  readonly difference: Difference | undefined;
}

/** What a side-by-side needs besides a VM: how its text is read. */
export interface Beside {
  readonly format: EntryFormat;
  readonly read: (text: string) => Line[];
}

/** Compares step by step, and ends after the first difference: what comes then is its consequence. */
export function* sideBySide(
  vm: Vm,
  steps: readonly Step[],
  { format, read }: Beside,
): Generator<ComparedStep> {
  const memory = new Memory(vm, regionsOf(format, steps));
  const kinds = new Set(steps.flatMap(({ lines }) => lines.map(({ event }) => event)));
  for (const [at, step] of steps.entries()) {
    written(vm, step, format);
    vm.takeTrace();
    const later = step.deed.what === "slot goes" ? steps.slice(at + 1) : [];
    perform(vm, memory, step, format, later);
    const printed = read(vm.takeTrace()).filter(({ event }) => kinds.has(event));
    const compared = beside(format, step, printed);
    yield compared;
    if (compared.difference !== undefined) return;
  }
}

function perform(
  vm: Vm,
  memory: Memory,
  { deed, lines }: Step,
  format: EntryFormat,
  later: readonly Step[],
): void {
  if (deed.what === "unmap") vm.invalidateHva(deed.start, deed.end - deed.start);
  if (deed.what === "misconfig") vm.access(deed.gfn * PAGE, "read");
  if (deed.what === "slot goes") memory.remove(deed.gfn, later);
  if (deed.what === "log") memory.log(changesOf(lines).map(({ gfn }) => gfn));
  if (deed.what !== "fault") return;
  const { address, code, vcpu = 0 } = deed.fault;
  const access = accessOf(format.vendor, code);
  for (const line of lines) {
    if (line.event !== "requested" || line.pfn === NO_SLOT) continue;
    memory.need(line.gfn);
    // Fetches are given less under the workaround of iTLB multihit, too.
    if (access !== "fetch") memory.isGiven(line.gfn, line.level);
  }
  vm.takeTrace();
  vm.access(address, access, { vcpu });
}

/**
 * Writes that left no line: hardware set D and PML noted the page. A leaf that is said to have had D was written to by
 * then; where the VM has D there already this changes nothing.
 */
function written(vm: Vm, { deed, lines }: Step, format: EntryFormat): void {
  if (deed.what === "fault") return;
  for (const { old, gfn, level } of changesOf(lines)) {
    const isWritten = isLeaf(format, old, level) && has(old, format.dirty) && has(old, format.write);
    if (isWritten) vm.access(gfn * PAGE, "write");
  }
}

const changesOf = (lines: readonly Line[]): Changed[] =>
  lines.filter((line): line is Changed => line.event === "changed");

function beside(format: EntryFormat, { deed, lines, line }: Step, printed: readonly Line[]): ComparedStep {
  const lane = new Lane(format, printed, line);
  const difference = lane.compare(lines);
  return { deed: nameOfDeed(format, deed), line, agreed: lane.agreed, setAside: lane.setAside, difference };
}

/** One step's lines against the VM's. */
class Lane {
  agreed = 0;
  readonly setAside: string[] = [];
  readonly #format: EntryFormat;
  readonly #ours: Line[];
  #latest: number;

  constructor(format: EntryFormat, printed: readonly Line[], line: number) {
    this.#format = format;
    this.#ours = [...printed];
    this.#latest = line;
  }

  compare(lines: readonly Line[]): Difference | undefined {
    for (const line of lines) {
      if (line.event === "gap") {
        this.setAside.push(`${this.#ours.length} lines: ${claimOf(this.#format, line)}`);
        return undefined;
      }
      const difference = line.event === "omitted" ? this.#skip(line) : this.#next(line);
      if (difference !== undefined) return difference;
    }
    return this.#ours.length === 0 ? undefined : this.#differ(undefined, this.#ours[0]);
  }

  #skip(line: Omitted): Difference | undefined {
    const gone = withoutRun(this.#format, this.#ours, line);
    if (gone === undefined) return this.#differ(line, this.#ours[0]);
    this.setAside.push(`${gone} lines: ${claimOf(this.#format, line)}`);
    return undefined;
  }

  #next(line: Line): Difference | undefined {
    const ours = this.#ours.shift();
    if (ours === undefined || claimOf(this.#format, line) !== claimOf(this.#format, ours)) {
      return this.#differ(line, ours);
    }
    this.agreed++;
    this.#latest = line.number;
    return undefined;
  }

  #differ(recorded: Line | undefined, model: Line | undefined): Difference {
    return {
      line: recorded?.number ?? this.#latest,
      recorded: recorded && claimOf(this.#format, recorded),
      model: model && claimOf(this.#format, model),
      why: explain(this.#format, recorded, model),
    };
  }
}

/** Takes the VM's lines of an omitted run from the front and counts them; undefined if it prints no such run there. */
function withoutRun(format: EntryFormat, ours: Line[], { gfn, last, level }: Omitted): number | undefined {
  const isOfRun = (line: Line | undefined): line is Changed =>
    line?.event === "changed" &&
    line.level === level &&
    line.gfn >= gfn &&
    line.gfn <= last &&
    isEmpty(format, line.old) &&
    isFrozen(format, line.now);
  let count = 0;
  for (; isOfRun(ours[0]); count++) ours.shift();
  return count === 0 ? undefined : count;
}
