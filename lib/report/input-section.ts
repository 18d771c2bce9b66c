/** Where events came from, what they were, and what was concluded: parts of every report on a trace. */
import type { ReplayConfig, ReplayInput } from "../replay.js";
import { formatCount, formatSeconds } from "./quantities.js";
import { labelled, listed, NO_BREAK, type Page } from "./text-layout.js";

type Input = Omit<ReplayInput, "conversions"> & Partial<Pick<ReplayInput, "conversions">>;

export function inputSection(page: Page, input: Input): string[] {
  const lines = [
    page.paint("bold", input.path),
    ...labelled(page, "format", formatText(input)),
    ...labelled(page, "events", `${formatCount(input.events)}: ${counted(input.byKind)}`),
    ...labelled(page, "span", spanText(input)),
  ];
  if (input.conversions) {
    const inserted = `${formatCount(input.conversions)} pages, inserted by the projection`;
    lines.push(...labelled(page, "conversions", inserted));
  }
  const skipped = counted(input.skipped);
  if (skipped !== "") lines.push(...labelled(page, "passed over", skipped));
  if (input.lost > 0) {
    lines.push(...labelled(page, "LOST", `${formatCount(input.lost)} events that the recorder dropped`));
  }
  return lines;
}

/** One line for each thing that the trace does not state. */
export function guessLines(page: Page, guesses: ReplayConfig["guesses"]): string[] {
  return guesses.flatMap(({ what, value, confidence, why }) => {
    const doubt = confidence < 1 ? `${Math.round(100 * confidence)} % sure, ` : "";
    return labelled(page, what, `${value} (${doubt}${why})`);
  });
}

function formatText({ format, compression, sha256 }: Input): string {
  const packed = compression === "none" ? "not compressed" : compression;
  return `${format}, ${packed}${sha256 === undefined ? "" : `, sha256 ${sha256.slice(0, 16)}...`}`;
}

function spanText({ firstTime, lastTime, vcpus }: Input): string {
  const machine = [vcpus, vcpus === 1 ? "vCPU" : "vCPUs"].join(NO_BREAK);
  return `${formatSeconds(lastTime - firstTime)} (from ${firstTime} s to ${lastTime} s), ${machine}`;
}

function counted(counts: Readonly<Record<string, number>>): string {
  return listed(Object.entries(counts).map(([name, count]) => [formatCount(count), name]));
}
