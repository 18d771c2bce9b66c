/**
 * A recording beside a VM that is made to do the same.
 *
 * Both print lines; what must agree is the order of requests, changes and
 * leaves, and of each change frame, level, and what the entries say before and
 * after. Where the excerpt was cut, the VM's lines of that place are set aside
 * and the comparison says which.
 */
import type { Access, Vm } from "../../lib/index.js";
import { inWords } from "./entries.js";
import { type Line, linesOf } from "./lines.js";
import { Memory, regionsOf } from "./memory.js";
import type { Deed, Step } from "./story.js";

export interface Compared {
  readonly deed: string;
  /** Lines that agree. */
  readonly agreed: number;
  readonly setAside: readonly string[];
  /** The first lines that do not agree, recorded and ours; undefined if all do. */
  readonly differs: { readonly recorded: string | undefined; readonly ours: string | undefined } | undefined;
}

const hex = (value: number): string => value.toString(16);

/** What a line claims; addresses of tables, host frames and offsets in a page left out. */
export function claimOf(line: Line): string {
  switch (line.event) {
    case "unmap":
      return `unmap ${hex(line.start)}..${hex(line.end)}`;
    case "fault":
      return `fault at gfn ${hex(Math.floor(line.address / 4096))}`;
    case "requested":
      return `requested gfn ${hex(line.gfn)} level ${line.level}${line.pfn === 1n << 63n ? " no slot" : ""}`;
    case "changed":
      return `gfn ${hex(line.gfn)} level ${line.level}: ${inWords(line.old, line.level)} -> ${inWords(line.now, line.level)}`;
    case "set":
      return `set gfn ${hex(line.gfn)} level ${line.level} ${line.rights}: ${inWords(line.spte, line.level)}`;
    case "mmio":
      return `mmio gfn ${hex(line.gfn)} access ${line.access} generation ${line.generation}`;
    case "split":
      return `split gfn ${hex(line.gfn)} level ${line.level} errno ${line.error}: ${inWords(line.spte, line.level)}`;
    case "omitted":
      return `omitted gfn ${hex(line.gfn)}..${hex(line.last)} level ${line.level}`;
    case "cut":
      return line.text;
  }
}

export function compare(vm: Vm, steps: readonly Step[]): Compared[] {
  const memory = new Memory(vm, regionsOf(steps));
  return steps.map((step) => {
    vm.takeTrace();
    perform(vm, memory, step);
    return beside(step, linesOf(vm.takeTrace()));
  });
}

function perform(vm: Vm, memory: Memory, { deed, lines }: Step): void {
  if (deed.what === "unmap") vm.invalidateHva(deed.start, deed.end - deed.start);
  if (deed.what === "slot goes") memory.remove(deed.gfn);
  if (deed.what === "log on") memory.log(deed.gfn);
  if (deed.what !== "fault") return;
  for (const line of lines) if (line.event === "requested") memory.need(line.gfn);
  vm.takeTrace();
  vm.access(deed.fault.address, accessOf(deed.fault.code));
}

/** Of an exit qualification. */
function accessOf(code: bigint): Access {
  if ((code & 2n) !== 0n) return "write";
  return (code & 4n) !== 0n ? "fetch" : "read";
}

function nameOf(deed: Deed): string {
  if (deed.what === "fault") return claimOf(deed.fault);
  return deed.what === "unmap" ? `unmap ${hex(deed.start)}` : `${deed.what} at gfn ${hex(deed.gfn)}`;
}

function beside({ deed, lines }: Step, printed: readonly Line[]): Compared {
  const ours = [...printed];
  const setAside: string[] = [];
  let agreed = 0;
  const result = (differs: Compared["differs"]) => ({ deed: nameOf(deed), agreed, setAside, differs });
  for (const line of lines) {
    if (line.event === "cut") {
      setAside.push(`${ours.length} lines: ${line.text}`);
      return result(undefined);
    }
    if (line.event === "omitted") {
      const gone = withoutRun(ours, line);
      setAside.push(`${gone} lines: ${claimOf(line)}`);
      continue;
    }
    const next = ours.shift();
    const [recorded, mine] = [claimOf(line), next && claimOf(next)];
    if (recorded !== mine) return result({ recorded, ours: mine });
    agreed++;
  }
  const extra = ours[0];
  return result(extra && { recorded: undefined, ours: claimOf(extra) });
}

/** Takes the VM's lines of an omitted run, from the front, and counts them. */
function withoutRun(ours: Line[], { gfn, last, level }: Extract<Line, { event: "omitted" }>): number {
  const isOfRun = (line: Line | undefined) =>
    line?.event === "changed" &&
    line.level === level &&
    line.gfn >= gfn &&
    line.gfn <= last &&
    claimOf(line).endsWith("empty -> frozen");
  let count = 0;
  for (; isOfRun(ours[0]); count++) ours.shift();
  return count;
}
