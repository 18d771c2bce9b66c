/**
 * kvm_mmu_set_spte repeats what the change before it said: the entry, its rights in letters, and where it lies.
 *
 * KVM: tdp_mmu_map_handle_target_level() prints it after the exchange, also where nothing had to be changed.
 */
import type { Check, Scene } from "../check.js";
import { hex } from "../check.js";
import { differenceOf, framesOf, grants, has, roundedTo } from "../entry.js";
import type { Table } from "../known.js";
import type { Changed, SetEntry } from "../line.js";

const ENTRY_BYTES = 8;

const check: Check = {
  id: "set-entry",
  summary: "the line about a new leaf says what the change before it said",
  unable: ({ has: events }) => (events.has("set") ? undefined : "the trace has no kvm_mmu_set_spte"),
  start: (scene) => {
    /** The latest change of each thread. */
    const latest = new Map<number, Changed>();
    return {
      line: (line) => {
        if (line.event === "changed") latest.set(line.thread, line);
        if (line.event === "gap" || line.event === "omitted") latest.clear();
        if (line.event === "set") judge(scene, line, latest.get(line.thread));
      },
    };
  },
};

function judge(scene: Scene, line: SetEntry, before: Changed | undefined): void {
  const why = wrongWith(scene, line, before);
  if (why === undefined) return;
  const others = before === undefined ? [] : [before.number];
  scene.report({ severity: "error", confidence: "high", line: line.number, others, why });
}

function wrongWith(scene: Scene, line: SetEntry, before: Changed | undefined): string | undefined {
  const rights = rightsOf(scene, line.spte);
  if (line.rights !== rights)
    return `rights are printed as ${line.rights}, and ${hex(line.spte)} has ${rights}`;
  const holders = tablesWith(scene, line, before);
  const [first] = holders ?? [];
  if (holders === undefined) return undefined;
  if (first === undefined) return unlike(scene, line, before);
  if (holders.some((table) => liesIn(table, line))) return undefined;
  return `it is said to lie at ${hex(line.at)}, outside the table at ${hex(first.address ?? 0n)} that the link above leads to`;
}

/** Tables whose entry is this one; undefined if nobody knows what they hold. */
function tablesWith({ known }: Scene, line: SetEntry, before: Changed | undefined): Table[] | undefined {
  const spaces = before === undefined ? [0, 1] : [before.asId];
  const all = spaces.flatMap((asId) => [...known.tables(asId, line.level, line.gfn)]);
  const entries = all.map((table) => known.entry(table, line.gfn));
  if (all.length === 0 || entries.some((entry) => entry === undefined)) {
    const isOurs = before !== undefined && sameFrame(line, before);
    if (!isOurs) return undefined;
  }
  return all.filter((_table, i) => entries[i]?.spte === line.spte);
}

const sameFrame = (line: SetEntry, { gfn, level }: Changed): boolean =>
  level === line.level && gfn === roundedTo(line.gfn, level);

function unlike({ format }: Scene, line: SetEntry, before: Changed | undefined): string {
  const what = `gfn ${hex(line.gfn)} level ${line.level} is said to hold ${hex(line.spte)}`;
  if (before === undefined || !sameFrame(line, before)) return `${what}, and no change before it made it so`;
  return `${what}, and the change before it made it ${hex(before.now)}: ${differenceOf(format, line.spte, before.now)} differs`;
}

function liesIn(table: Table, { gfn, at, level }: SetEntry): boolean {
  if (table.address === undefined) return true;
  const index = (roundedTo(gfn, level) - table.gfn) / framesOf(level);
  return at === Number(table.address) + index * ENTRY_BYTES;
}

/** KVM prints r wherever there is a bit for present, and u for the bit of user access. */
function rightsOf({ format }: Scene, spte: bigint): string {
  const user = format.vendor === "ept" ? 1n : 4n;
  const letters = [
    "r",
    has(spte, format.write) ? "w" : "-",
    grants(format, spte, "fetch") ? "x" : "-",
    has(spte, user) ? "u" : "-",
  ];
  return letters.join("");
}

export default check;
