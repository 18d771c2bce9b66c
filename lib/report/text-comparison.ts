/**
 * A comparison as text for a person: what each run cost, side by side, and
 * what went wrong in it.
 *
 * Columns that a narrow terminal has no room for are dropped, the least
 * telling first; verdicts move below the table. Knows the shape of a result
 * and nothing of engines, traces or terminals.
 */
import type { ComparedRun, Comparison, NotApplicable } from "../compare.js";
import type { Replay } from "../replay.js";
import { guessLines, inputSection } from "./input-section.js";
import { formatBytes, formatCount } from "./quantities.js";
import { configLines } from "./run-section.js";
import { joined, labelled, newPage, type Page, type TextOptions, table, wrap } from "./text-layout.js";
import { countedFrom, fullVerdictOf, paintVerdict, whyLines } from "./verdict.js";

interface CostColumn {
  readonly title: string;
  /** Columns of a higher rank are dropped first where there is no room. */
  readonly rank: number;
  value(run: Replay): string;
}

const COSTS: readonly CostColumn[] = [
  // Kernels before 5.19 count no faults; exits are those and the MMIO entries that matched.
  { title: "faults", rank: 0, value: ({ stats }) => formatCount(stats["pf_taken"] ?? stats["exits"] ?? 0) },
  { title: "tables", rank: 5, value: ({ tables }) => formatCount(pagesOf(tables)) },
  { title: "in tables", rank: 3, value: ({ tables }) => formatBytes(tables.bytes) },
  { title: "range", rank: 1, value: ({ flush }) => formatCount(flush.range) },
  { title: "full", rank: 1, value: ({ flush }) => formatCount(flush.full) },
  { title: "elided", rank: 4, value: ({ flush }) => formatCount(flush.none) },
  { title: "pages", rank: 2, value: ({ flush }) => formatCount(flush.pages) },
  { title: "stuck", rank: 3, value: ({ outcomes }) => formatCount(outcomes.stuck ?? 0) },
];
const GAP = 2;
/** A verdict needs that much room to stand in the table. */
const VERDICT_ROOM = 30;
const LEAST_ROOM = 24;
const NOT_RUN = "n/a";

/** Text of at most `columns` columns, except for words that are longer than a line. */
export async function renderComparison(found: Comparison, options: TextOptions = {}): Promise<string> {
  const page = newPage(options);
  const costs = await costTable(page, found.runs);
  return joined([
    inputSection(page, found.input),
    settingSection(page, found.runs),
    [...costs.lines, ...legend(page, costs.columns)],
    costs.hasVerdicts ? [] : verdictSection(page, found.runs),
    whySection(page, found.runs),
    adviceSection(page, found.runs),
    reasonSection(page, found.runs),
    await flushSection(page, found.runs),
  ]);
}

function settingSection(page: Page, runs: readonly ComparedRun[]): string[] {
  // The baseline has no projection, so what the others have is what was asked for.
  const replays = runs.filter(isReplay);
  const shown = replays.find(({ config }) => config.alias.strategy !== "none") ?? replays[0];
  if (shown === undefined) return [];
  return [
    page.paint("bold", `Comparison of ${replays.length} ${replays.length === 1 ? "run" : "runs"}`),
    ...configLines(page, shown.config),
    ...guessLines(page, shown.config.guesses),
  ];
}

interface CostTable {
  readonly lines: string[];
  readonly columns: readonly CostColumn[];
  /** Whether verdicts found room in it. */
  readonly hasVerdicts: boolean;
}

async function costTable(page: Page, runs: readonly ComparedRun[]): Promise<CostTable> {
  const full = await tableWith(runs, COSTS);
  const room = page.columns - widthOf(full) - GAP;
  if (room >= VERDICT_ROOM) {
    return { lines: withVerdicts(page, full, runs, room), columns: COSTS, hasVerdicts: true };
  }
  let columns = COSTS;
  let lines = full;
  while (widthOf(lines) > page.columns && columns.length > 1) {
    columns = withoutLeast(columns);
    lines = await tableWith(runs, columns);
  }
  return { lines: [page.paint("bold", lines[0] ?? ""), ...lines.slice(1)], columns, hasVerdicts: false };
}

/** What the columns that are shown count. */
function legend(page: Page, columns: readonly CostColumn[]): string[] {
  const has = (title: string) => columns.some((column) => column.title === title);
  const flushes = has("elided") ? "range, full and elided" : "range and full";
  const pages = has("pages") ? "; pages are those of the ranges" : "";
  const text = has("range") ? `${flushes} are TLB flushes${pages}` : "";
  return wrap(text, page.columns - GAP).map((line) => `  ${page.paint("dim", line)}`);
}

function withoutLeast(columns: readonly CostColumn[]): readonly CostColumn[] {
  const last = Math.max(...columns.map(({ rank }) => rank));
  return columns.filter((column) => column.rank < last || column.rank === 0);
}

async function tableWith(runs: readonly ComparedRun[], columns: readonly CostColumn[]): Promise<string[]> {
  const rows = runs.map((run) => {
    return [run.run, ...columns.map((column) => (isReplay(run) ? column.value(run) : NOT_RUN))];
  });
  const titles = ["run", ...columns.map(({ title }) => title)];
  return table([titles, ...rows], ["left", ...columns.map(() => "right" as const)]);
}

function withVerdicts(
  page: Page,
  lines: readonly string[],
  runs: readonly ComparedRun[],
  room: number,
): string[] {
  const width = widthOf(lines);
  const [titles = "", ...rows] = lines.map((line) => line.padEnd(width + GAP));
  const body = rows.flatMap((row, index) => {
    const run = runs[index] as ComparedRun;
    if (!isReplay(run)) return [row.trimEnd()];
    const [first = "", ...rest] = wrap(fullVerdictOf(page, run), room).map((text) =>
      paintVerdict(page, run, text),
    );
    return [row + first, ...rest.map((text) => " ".repeat(width + GAP) + text)];
  });
  return [page.paint("bold", `${titles}what went wrong`), ...body];
}

function verdictSection(page: Page, runs: readonly ComparedRun[]): string[] {
  const lines = named(page, runs.filter(isReplay), (run, room) =>
    wrap(fullVerdictOf(page, run), room).map((text) => paintVerdict(page, run, text)),
  );
  return [page.paint("bold", "What went wrong"), ...lines];
}

/** Once for all runs: most of them that break a rule do so for the same reason. */
function whySection(page: Page, runs: readonly ComparedRun[]): string[] {
  const found = runs.filter(isReplay).flatMap(({ violations }) => violations);
  if (found.length === 0) return [];
  return [
    page.paint("bold", "Why, as each was first seen"),
    ...whyLines(page, "red", found),
    ...labelled(page, "more", "gpalias explain <rule>"),
    ...labelled(page, "shortest", "gpalias witness <trace> --run <run> --rule <rule>, options as here"),
  ];
}

/** Apart from what is wrong: this is only dear. */
function adviceSection(page: Page, runs: readonly ComparedRun[]): string[] {
  const advised = runs.filter(isReplay).filter(({ advisories }) => advisories.length > 0);
  if (advised.length === 0) return [];
  const lines = named(page, advised, ({ advisories }, room) => wrap(countedFrom(advisories), room));
  const why = advised.flatMap(({ advisories }) => advisories);
  return [page.paint("bold", "What could be cheaper"), ...lines, ...whyLines(page, "yellow", why)];
}

function reasonSection(page: Page, runs: readonly ComparedRun[]): string[] {
  const absent = runs.filter((run): run is NotApplicable => !isReplay(run));
  if (absent.length === 0) return [];
  const lines = named(page, absent, ({ notApplicable }, room) => wrap(`n/a: ${notApplicable}`, room));
  return [page.paint("bold", "Not run"), ...lines];
}

/** Range flushes as `-`, full ones as `#`, each run against the one that has most. */
async function flushSection(page: Page, runs: readonly ComparedRun[]): Promise<string[]> {
  const replays = runs.filter(isReplay);
  const most = Math.max(0, ...replays.map(({ flush }) => flush.range + flush.full));
  const margin = nameWidth(replays) + 2 * GAP;
  const cells = Math.min(60, page.columns - margin);
  if (most === 0 || page.columns < 72) return [];
  const lines = replays.map(({ run, flush }) => {
    const drawn = (count: number) => (count === 0 ? 0 : Math.max(1, Math.round((cells * count) / most)));
    const full = Math.min(drawn(flush.full), cells);
    const bar = "#".repeat(full) + "-".repeat(Math.min(drawn(flush.range), cells - full));
    return `  ${run.padEnd(margin - GAP)}${page.paint("dim", bar)}`.trimEnd();
  });
  return [page.paint("bold", "Flushes: # full, - range"), ...lines];
}

/** Lines behind a run's name, wrapped under themselves; below it where there is no room beside it. */
function named<R extends ComparedRun>(
  page: Page,
  runs: readonly R[],
  text: (run: R, room: number) => readonly string[],
): string[] {
  const margin = nameWidth(runs) + 2 * GAP;
  if (page.columns - margin < LEAST_ROOM) return stacked(page, runs, text);
  return runs.flatMap((run) => {
    const [first = "", ...rest] = text(run, page.columns - margin);
    return [`  ${run.run.padEnd(margin - GAP)}${first}`, ...rest.map((line) => " ".repeat(margin) + line)];
  });
}

function stacked<R extends ComparedRun>(
  page: Page,
  runs: readonly R[],
  text: (run: R, room: number) => readonly string[],
): string[] {
  return runs.flatMap((run) => {
    const lines = text(run, page.columns - 2 * GAP);
    return [`  ${run.run}`, ...lines.map((line) => " ".repeat(2 * GAP) + line)];
  });
}

function nameWidth(runs: readonly ComparedRun[]): number {
  return Math.max(0, ...runs.map(({ run }) => run.length));
}

function widthOf(lines: readonly string[]): number {
  return Math.max(0, ...lines.map((line) => line.length));
}

function pagesOf({ byLevel }: Replay["tables"]): number {
  return Object.values(byLevel).reduce((sum, count) => sum + count, 0);
}

function isReplay(run: ComparedRun): run is Replay {
  return !("notApplicable" in run);
}
