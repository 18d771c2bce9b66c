/** A page of a VM as a report has it. */
import { formatGpa, PAGE_SIZES } from "../address.js";
import { ACCESS_BITS } from "../columns/event-batch.js";
import type { NativeCached, NativeEntry, NativePage, NativeWay } from "../native/addon-types.js";
import type { WitnessCached, WitnessEntry, WitnessPage, WitnessWay } from "./report.js";
import type { Aliases } from "./says.js";

const ROOTS = ["direct", "private"] as const;
const FIRST_LETTER = 65;

export function showPage(gpa: number, { ways, cached }: NativePage, aliases: Aliases): WitnessPage {
  const tables = [...new Set(ways.flatMap(({ entries }) => entries.map(({ table }) => table)))];
  const letter = (table: number) => String.fromCharCode(FIRST_LETTER + tables.indexOf(table));
  return {
    gpa: formatGpa(gpa),
    ways: ways.map((way) => wayOf(way, letter, aliases)),
    cached: cached.map((each) => cachedOf(each, aliases)),
  };
}

/** `4K RW- AD`, `none`: the entry at which hardware's walk ends. */
export function leafSays({ entries }: NativeWay): string {
  const last = entries.at(-1);
  if (last === undefined || last.state === "none" || last.state === "link") return "none";
  if (last.state !== "leaf") return last.state;
  const marks = `${last.accessed ? "A" : "-"}${last.dirty ? "D" : "-"}`;
  return `${PAGE_SIZES[last.level] ?? ""} ${rightsSay(last.rights)} ${marks}`;
}

/** `RW-` */
export function rightsSay(rights: number): string {
  const { read, write, fetch } = ACCESS_BITS;
  return [
    [read, "R"],
    [write, "W"],
    [fetch, "X"],
  ]
    .map(([bit, letter]) => (rights & (bit as number) ? letter : "-"))
    .join("");
}

function wayOf(
  { gpa, root, entries }: NativeWay,
  letter: (table: number) => string,
  aliases: Aliases,
): WitnessWay {
  return {
    alias: Math.floor(gpa / aliases.bytes),
    gpa: formatGpa(gpa),
    root: ROOTS[root] ?? "direct",
    entries: entries.map((entry) => entryOf(entry, letter)),
  };
}

function entryOf(
  { spte, table, rights, ...entry }: NativeEntry,
  letter: (table: number) => string,
): WitnessEntry {
  const { level, state, accessed, dirty } = entry;
  const raw = `0x${spte.toString(16).padStart(16, "0")}`;
  return { level, table: letter(table), spte: raw, state, rights: rightsSay(rights), accessed, dirty };
}

function cachedOf(cached: NativeCached, aliases: Aliases): WitnessCached {
  const { vcpu, gpa, level, link, rights, pfn, root, loadable, overdue } = cached;
  return {
    vcpu,
    alias: Math.floor(gpa / aliases.bytes),
    gpa: formatGpa(gpa),
    holds: link ? "link" : (PAGE_SIZES[level] ?? "4K"),
    level,
    rights: rightsSay(rights),
    ...(!link && { pfn: formatGpa(pfn) }),
    root: ROOTS[root] ?? "direct",
    state: !loadable ? "unreachable" : overdue ? "overdue" : "usable",
  };
}
