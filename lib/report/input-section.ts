/** Where events came from, what they were, and what was concluded: parts of every report on a trace. */
import type { ReplayConfig, ReplayInput } from "../replay.js";
import { formatCount, formatSeconds } from "./quantities.js";
import { labelled, listed, NO_BREAK, type Page } from "./text-layout.js";

/** More places than these are summed up. */
const MOST_GAPS = 3;

type Input = Omit<ReplayInput, "conversions"> & Partial<Pick<ReplayInput, "conversions">>;

export function inputSection(page: Page, input: Input): string[] {
  const lines = [
    page.paint("bold", input.path),
    ...labelled(page, "format", formatText(input)),
    ...labelled(page, "events", input.events === 0 ? "none" : eventsText(input)),
    ...(input.events === 0 ? [] : labelled(page, "span", spanText(input))),
  ];
  if (input.conversions) {
    const inserted = `${formatCount(input.conversions)} pages, inserted by the projection`;
    lines.push(...labelled(page, "conversions", inserted));
  }
  const skipped = counted(input.skipped);
  if (skipped !== "") lines.push(...labelled(page, "passed over", skipped));
  const isLossy = input.verdict === "lossy";
  lines.push(...labelled(page, isLossy ? "LOSSY" : "complete", completenessText(input)));
  return lines;
}

/** `29 events lost before event 4, 1 before event 9`, or that nothing is known to be missing. */
function completenessText({ lost, gaps, backwards, backwardsAt }: Input): string {
  const shown = gaps.slice(0, MOST_GAPS);
  const rest = lost - shown.reduce((sum, { events }) => sum + events, 0);
  const [first = "", ...more] = shown.map(({ events, before }) => {
    return `${formatCount(events)} ${events === 1 ? "event" : "events"} lost before event ${formatCount(before)}`;
  });
  const said = [first, ...more.map((text) => text.replace(/ events? lost/, ""))];
  if (lost === 0) said.push("the recorder says of no event that it was lost");
  if (rest > 0) said.push(`${formatCount(rest)} ${first === "" ? "events lost" : "further on"}`);
  if (backwards > 0) {
    const times = `time runs backwards ${formatCount(backwards)} ${backwards === 1 ? "time" : "times"}`;
    said.push(`${times}, first before event ${formatCount(backwardsAt[0] ?? 0)}`);
  }
  return said.filter((text) => text !== "").join(", ");
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
  const ends = `from ${firstTime} s to ${lastTime} s`;
  // Recordings that were joined may end before they begin.
  if (lastTime < firstTime) return `${ends}, ${machine}`;
  return `${formatSeconds(lastTime - firstTime)} (${ends}), ${machine}`;
}

const eventsText = ({ events, byKind }: Input): string => `${formatCount(events)}: ${counted(byKind)}`;

function counted(counts: Readonly<Record<string, number>>): string {
  return listed(Object.entries(counts).map(([name, count]) => [formatCount(count), name]));
}
