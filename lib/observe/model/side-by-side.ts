/**
 * A recording beside a VM that is made to do the same.
 *
 * Both print lines; what must agree is the order of requests, changes and leaves, and of each change frame, level, and
 * what the entries say before and after. Kinds of lines that the recorder did not listen to are left out of the VM's.
 * Where lines were left out of the recording, the VM's lines of that place are set aside and counted.
 */
import type { Vm } from "../../vm.js";
import { accessOf } from "../access.js";
import { type EntryFormat, isEmpty, isFrozen } from "../entry.js";
import type { Changed, Line, Omitted } from "../line.js";
import { claimOf } from "./claims.js";
import { explain, nameOfDeed } from "./explain.js";
import { Memory, regionsOf } from "./memory.js";
import type { Step } from "./story.js";

export interface Difference {
  /** The recorded line, or the last one before where the model's stands. */
  readonly line: number;
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
  for (const step of steps) {
    vm.takeTrace();
    perform(vm, memory, step, format);
    const printed = read(vm.takeTrace()).filter(({ event }) => kinds.has(event));
    const compared = beside(format, step, printed);
    yield compared;
    if (compared.difference !== undefined) return;
  }
}

function perform(vm: Vm, memory: Memory, { deed, lines }: Step, format: EntryFormat): void {
  if (deed.what === "unmap") vm.invalidateHva(deed.start, deed.end - deed.start);
  if (deed.what === "slot goes") memory.remove(deed.gfn);
  if (deed.what === "log") memory.log(deed.gfn);
  if (deed.what !== "fault") return;
  for (const line of lines) if (line.event === "requested") memory.need(line.gfn);
  vm.takeTrace();
  const { address, code, vcpu = 0 } = deed.fault;
  vm.access(address, accessOf(format.vendor, code), { vcpu });
}

function beside(
  format: EntryFormat,
  { deed, lines, line: first }: Step,
  printed: readonly Line[],
): ComparedStep {
  const ours = [...printed];
  const setAside: string[] = [];
  let agreed = 0;
  let latest = first;
  const result = (difference: Difference | undefined): ComparedStep => ({
    deed: nameOfDeed(format, deed),
    line: first,
    agreed,
    setAside,
    difference,
  });
  const differ = (recorded: Line | undefined, model: Line | undefined): ComparedStep =>
    result({
      line: recorded?.number ?? latest,
      recorded: recorded && claimOf(format, recorded),
      model: model && claimOf(format, model),
      why: explain(format, recorded, model),
    });
  for (const line of lines) {
    if (line.event === "gap") {
      setAside.push(`${ours.length} lines: ${claimOf(format, line)}`);
      return result(undefined);
    }
    if (line.event === "omitted") {
      const gone = withoutRun(format, ours, line);
      if (gone === undefined) return differ(line, ours[0]);
      setAside.push(`${gone} lines: ${claimOf(format, line)}`);
      continue;
    }
    const next = ours.shift();
    if (next === undefined || claimOf(format, line) !== claimOf(format, next)) return differ(line, next);
    agreed++;
    latest = line.number;
  }
  return ours.length === 0 ? result(undefined) : differ(undefined, ours[0]);
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
