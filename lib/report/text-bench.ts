/** The benchmarks of a machine as text for a person: figures, and a bar up to each target. */
import type { Bench, BenchMachine, TablesResult, TrialInfo, TrialResult } from "../bench/result.js";
import { formatBytes } from "./quantities.js";
import { joined, labelled, newPage, type Page, type TextOptions, table, wrap } from "./text-layout.js";

/** Cells of a bar that is at its target. */
const BAR_WIDTH = 10;
/** A bar ends at so many times the target. */
const MOST = 1.5;

/** Text of at most `columns` columns, except for words that are longer than a line. */
export async function renderBench(result: Bench, options: TextOptions = {}): Promise<string> {
  const page = newPage(options);
  const { machine, trials, tables, skipped } = result;
  return joined([
    [page.paint("bold", "Benchmarks of this machine"), ...machineLines(page, machine)],
    trials.length === 0 ? [] : await trialLines(page, trials),
    tables.length === 0 ? [] : await tablesLines(page, tables),
    skipped.flatMap(({ name, why }) => wrap(`skipped ${name}: ${why}`, page.columns)),
    trials.length === 0 ? [] : wrap(READING, page.columns),
  ]);
}

/** The trials that there are, two lines each. */
export function renderBenchTrials(trials: readonly TrialInfo[], options: TextOptions = {}): string {
  const page = newPage(options);
  return joined([
    trials.flatMap(({ name, what, beside, bytes }) => [
      page.paint("bold", name),
      ...wrap(`${what}, beside ${beside}; takes ${formatBytes(bytes)}`, page.columns - 4).map(
        (line) => `    ${line}`,
      ),
    ]),
  ]);
}

const READING =
  "A ratio is the engine's time over the other side's: below 1 the engine is the faster one. A bar is the ratio, and | the most that the project wants it to be.";

function machineLines(page: Page, machine: BenchMachine): string[] {
  const { cpu, cores, memory, hugePages, paths, taken, node, compiler, version } = machine;
  return [
    ...labelled(page, "machine", `${cpu}, ${cores} cores, ${formatBytes(memory)}; huge pages: ${hugePages}`),
    ...labelled(page, "paths", `${paths.join(", ")}; replay takes ${taken.replay}, text ${taken.text}`),
    ...labelled(page, "built", `gpalias ${version}, addon by ${compiler}, Node ${node}`),
  ];
}

const NAME = 26;
const WIDE = NAME + 34 + BAR_WIDTH * MOST;

async function trialLines(page: Page, trials: readonly TrialResult[]): Promise<string[]> {
  const hasBars = page.columns >= WIDE;
  const head = ["trial", "ns each", "beside", "ratio", "target", ...(hasBars ? [""] : [])];
  const rows = trials.map(({ name, nsPerEvent, floorNsPerEvent, ratio, target }) => [
    name,
    figure(nsPerEvent),
    figure(floorNsPerEvent),
    figure(ratio),
    target === undefined ? "" : limit(target),
    ...(hasBars ? [target === undefined ? "" : barOf(ratio, target)] : []),
  ]);
  const lines = await table([head, ...rows], ["left", "right", "right", "right", "right", "left"]);
  return lines.map((line, index) => painted(page, line, trials[index - 1]));
}

async function tablesLines(page: Page, tables: readonly TablesResult[]): Promise<string[]> {
  const head = ["tables of", "bytes a page", "KVM's", "ratio", "target"];
  const rows = tables.map(({ what, bytesPerPage, kvmBytesPerPage, ratio, target }) => [
    what,
    figure(bytesPerPage),
    figure(kvmBytesPerPage),
    figure(ratio),
    target === undefined ? "" : limit(target),
  ]);
  const lines = await table([head, ...rows], ["left", "right", "right", "right", "right"]);
  return lines.map((line, index) => painted(page, line, tables[index - 1]));
}

function painted(
  page: Page,
  line: string,
  row?: { readonly ratio: number; readonly target?: number },
): string {
  if (row === undefined) return page.paint("dim", line);
  if (row.target === undefined) return line;
  return page.paint(row.ratio <= row.target ? "green" : "yellow", line);
}

/** `######    |`: the ratio, and where the target is. */
function barOf(ratio: number, target: number): string {
  const cells = Math.max(1, Math.round((BAR_WIDTH * Math.min(ratio, MOST * target)) / target));
  const bar = "#".repeat(cells).padEnd(BAR_WIDTH);
  return `${bar.slice(0, BAR_WIDTH)}|${bar.slice(BAR_WIDTH)}`;
}

/** `<= 1.5`, or `<= 1/6` where that is what is meant. */
function limit(target: number): string {
  const times = Math.round(1 / target);
  const isPart = times > 1 && Math.abs(target * times - 1) < 1e-9;
  return `<= ${isPart ? `1/${times}` : target}`;
}

/** Three digits that count. */
function figure(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : value >= 0.1 ? 2 : 4);
}
