/**
 * A replay's result as text for a person.
 *
 * Plain data in, one string out; the same data always gives the same text, so
 * it can be made again from `--json` on another machine. Knows the shape of a
 * result and nothing of engines, traces or terminals.
 */
import type { Replay } from "../replay.js";
import { guessLines, inputSection } from "./input-section.js";
import { formatBytes, formatCount, formatRate, formatSeconds, formatShare } from "./quantities.js";
import { configLines } from "./run-section.js";
import { bar, joined, labelled, listed, newPage, type Page, type TextOptions, table } from "./text-layout.js";
import { advisorySection, violationSection } from "./verdict.js";

export type { TextOptions } from "./text-layout.js";

/** Bars appear from this width on; a narrower terminal needs it for the numbers. */
const COLUMNS_FOR_BARS = 72;
const BAR_GAP = 2;
const MAX_BAR = 50;
const PAGE_BYTES: Readonly<Record<string, number>> = { "4K": 2 ** 12, "2M": 2 ** 21, "1G": 2 ** 30 };

/** Text of at most `columns` columns, except for words that are longer than a line. */
export async function renderText(result: Replay, options: TextOptions = {}): Promise<string> {
  const page = newPage(options);
  return joined([
    inputSection(page, result.input),
    runSection(page, result),
    await outcomeSection(page, result),
    await statisticsSection(page, result),
    await tableSection(page, result),
    await leafSection(page, result),
    await flushSection(page, result),
    dirtySection(page, result),
    conversionSection(page, result),
    violationSection(page, result),
    advisorySection(page, result),
    timingSection(page, result),
  ]);
}

function runSection(page: Page, { run, config }: Replay): string[] {
  return [
    page.paint("bold", `Run ${run}`),
    ...configLines(page, config),
    ...guessLines(page, config.guesses),
  ];
}

async function outcomeSection(page: Page, { outcomes, input }: Replay): Promise<string[]> {
  const seen = Object.entries(outcomes).filter(([, count]) => count > 0);
  const rows = seen.map(([name, count]) => [name, formatCount(count), formatShare(count, input.accesses)]);
  const lines = await table(rows, ["left", "right", "right"]);
  const heading = page.paint("bold", `Outcomes of ${formatCount(input.accesses)} accesses`);
  if (page.columns < COLUMNS_FOR_BARS) return [heading, ...lines];
  const widest = Math.max(0, ...lines.map((line) => line.length));
  const room = Math.min(MAX_BAR, page.columns - widest - BAR_GAP);
  const barred = seen.map(([, count], i) => {
    const line = (lines[i] ?? "").padEnd(widest + BAR_GAP);
    return line + page.paint("dim", bar(count, input.accesses, room));
  });
  return [heading, ...barred];
}

async function statisticsSection(page: Page, { stats }: Replay): Promise<string[]> {
  const counted = Object.entries(stats).filter(([, value]) => value > 0);
  if (counted.length === 0) return [page.paint("bold", "KVM statistics: all 0")];
  const rows = counted.map(([name, value]) => [name, formatCount(value)]);
  return [page.paint("bold", "KVM statistics"), ...(await table(rows, ["left", "right"]))];
}

async function tableSection(page: Page, { tables }: Replay): Promise<string[]> {
  const levels = Object.entries(tables.byLevel).filter(([, count]) => count > 0);
  const total = levels.reduce((sum, [, count]) => sum + count, 0);
  const rows = levels.map(([level, count]) => [`level ${level}`, formatCount(count)]);
  const heading = page.paint(
    "bold",
    `Page tables at the end: ${formatCount(total)} in ${formatBytes(tables.bytes)} (${formatBytes(tables.engineBytes)} here)`,
  );
  return [heading, ...(await table(rows, ["left", "right"]))];
}

async function leafSection(page: Page, { leaves }: Replay): Promise<string[]> {
  const hasAliases = Object.keys(leaves).length > 1;
  const rows = Object.entries(leaves).flatMap(([alias, sizes]) =>
    Object.entries(sizes)
      .filter(([, count]) => count > 0)
      .map(([size, count]) => {
        const mapped = formatBytes(count * (PAGE_BYTES[size] ?? 0));
        return [...(hasAliases ? [`alias ${alias}`] : []), size, formatCount(count), mapped];
      }),
  );
  const heading = page.paint("bold", "Mapped at the end");
  return [
    heading,
    ...(rows.length > 0 ? await table(rows, ["left", "right", "right", "right"]) : ["  nothing"]),
  ];
}

async function flushSection(page: Page, { flush, flushScopes }: Replay): Promise<string[]> {
  const { range, full, none, pages } = flush;
  const counts = [
    ["full", formatCount(full)],
    ["range", range === 0 ? "0" : `${formatCount(range)} of ${formatCount(pages)} pages`],
    ["elided", formatCount(none)],
  ];
  const rows = Object.entries(flushScopes).map(([kind, scopes]) => [
    `  by ${kind}`,
    `${formatCount(scopes.full)} full, ${formatCount(scopes.range)} range`,
  ]);
  return [page.paint("bold", "TLB flushes"), ...(await table([...counts, ...rows], ["left", "left"]))];
}

function conversionSection(page: Page, { coexisting, conversionsOnExit }: Replay): string[] {
  if (coexisting + conversionsOnExit === 0) return [];
  const lines = [page.paint("bold", "Conversions")];
  if (conversionsOnExit > 0) {
    lines.push(...labelled(page, "on exit", `${formatCount(conversionsOnExit)} pages after a memory fault`));
  }
  if (coexisting > 0) {
    lines.push(...labelled(page, "left mapped", `${formatCount(coexisting)} pages through the other alias`));
  }
  return lines;
}

function dirtySection(page: Page, { dirty, dirtyRounds }: Replay): string[] {
  const slots = Object.entries(dirty);
  if (slots.length === 0 && dirtyRounds.rounds === 0) return [];
  const lines = [page.paint("bold", "Dirty logging")];
  if (dirtyRounds.rounds > 0) {
    const { rounds, reaping, pages } = dirtyRounds;
    const counts = `${formatCount(rounds)}, of which ${formatCount(reaping)} found ${formatCount(pages)} pages`;
    lines.push(...labelled(page, "rounds", counts));
  }
  const total = slots.reduce((sum, [, pages]) => sum + pages, 0);
  const bySlot = slots
    .filter(([, pages]) => pages > 0)
    .map(([id, pages]) => [`slot ${id}:`, formatCount(pages)] as const);
  const detail = bySlot.length > 0 ? ` (${listed(bySlot)})` : "";
  lines.push(...labelled(page, "dirty now", `${formatCount(total)} pages${detail}`));
  return lines;
}

function timingSection(page: Page, { timing }: Replay): string[] {
  const text = `${formatSeconds(timing.wallNs / 1e9)}, ${formatRate(timing.eventsPerSecond, "events")}`;
  return labelled(page, "time", `${text}, in batches of ${formatCount(timing.batch)}`);
}
