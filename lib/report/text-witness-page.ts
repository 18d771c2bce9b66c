/** The pages of a witness as text: hardware's way through each alias, entry by entry, and what the TLBs have. */
import type {
  WitnessCached,
  WitnessEntry,
  WitnessPage,
  WitnessReport,
  WitnessWay,
} from "../witness/report.js";
import type { Page } from "./text-layout.js";

export function pageSections(page: Page, { pages, config }: WitnessReport): string[][] {
  const hasTlb = config.tlb !== undefined && config.tlb !== false;
  return pages.map((each) => [
    page.paint("bold", `Page ${each.gpa} after the last step`),
    ...each.ways.flatMap((way) => wayLines(page, way, each)),
    ...(hasTlb ? tlbLines(page, each.cached) : []),
  ]);
}

function wayLines(page: Page, { alias, gpa, root, entries }: WitnessWay, { ways }: WitnessPage): string[] {
  const head = `  ${ways.length > 1 ? `alias ${alias}, ` : ""}${gpa}, ${root} root`;
  if (entries.length === 0) return [`${head}: no table`];
  return [`${head}:`, ...entries.map((entry) => entryLine(page, entry, alias, ways))];
}

function entryLine(page: Page, entry: WitnessEntry, alias: number, ways: readonly WitnessWay[]): string {
  const { level, table, spte, state, rights, accessed, dirty } = entry;
  const marks = state === "leaf" ? ` ${accessed ? "A" : "-"}${dirty ? "D" : "-"}` : "   ";
  const isPresent = state === "leaf" || state === "link";
  const line = `    level ${level}, table ${table}: ${spte} ${state.padEnd(7)} ${isPresent ? rights + marks : ""}`;
  const sharers = ways.filter((way) => way.alias !== alias && hasTable(way, entry)).map((way) => way.alias);
  const isShared = sharers.length > 0 && level < rootLevelOf(ways);
  const shared = isShared ? page.paint("yellow", ` shared with alias ${sharers.join(", ")}`) : "";
  return `${line.trimEnd()}${shared}`;
}

const hasTable = ({ entries }: WitnessWay, { table, level }: WitnessEntry): boolean =>
  entries.some((other) => other.table === table && other.level === level);

const rootLevelOf = (ways: readonly WitnessWay[]): number =>
  Math.max(...ways.map((way) => way.entries[0]?.level ?? 0));

function tlbLines(page: Page, cached: readonly WitnessCached[]): string[] {
  if (cached.length === 0) return ["  TLBs, as the last step finds them: nothing"];
  return ["  TLBs, as the last step finds them:", ...cached.map((each) => tlbLine(page, each))];
}

function tlbLine(page: Page, { vcpu, gpa, holds, level, rights, pfn, state }: WitnessCached): string {
  const style = state === "overdue" ? "red" : state === "usable" ? "green" : "dim";
  const what =
    pfn === undefined ? `link of level ${level} ${rights}` : `${holds} ${rights} host frame ${pfn}`;
  return `    vCPU ${vcpu}: ${gpa} ${what} ${page.paint(style, STATES[state])}`;
}

const STATES: Readonly<Record<WitnessCached["state"], string>> = {
  usable: "usable",
  overdue: "overdue: owed a flush",
  unreachable: "of a root that was dropped",
};
