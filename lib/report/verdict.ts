/**
 * What went wrong in a run, and what could be cheaper, in words. Never "safe":
 * a trace shows that a rule was broken, or that it was not broken in so many
 * events; and of a lossy trace not even that is said, unless it was asked for.
 */
import type { Replay } from "../replay.js";
import { formatCount } from "./quantities.js";
import { labelled, listed, NO_BREAK, type Page } from "./text-layout.js";

type Finding = Replay["violations"][number];

/** Whether events are missing, so that what did not happen may have happened. */
function isUnjudged({ allowLossy }: Page, { violations, input }: Replay): boolean {
  return violations.length === 0 && input.verdict === "lossy" && !allowLossy;
}

/** `unsafe under alias-stuck (41)`, or `no violation in 139,387 events`. */
function verdictOf(page: Page, replay: Replay): string {
  const { violations, input } = replay;
  if (isUnjudged(page, replay)) return "not judged: the trace is lossy";
  if (violations.length === 0) return `no violation in ${formatCount(input.events)}${NO_BREAK}events`;
  return `unsafe under ${listed(violations.map(({ rule, count }) => [rule, `(${formatCount(count)})`]))}`;
}

/** The same with where each began: `unsafe under alias-stuck (41, from event 7)`. */
export function fullVerdictOf(page: Page, replay: Replay): string {
  const { violations } = replay;
  return violations.length === 0 ? verdictOf(page, replay) : `unsafe under ${countedFrom(violations)}`;
}

/** `flush-wider-than-live (41, from event 7)`, one after the other. */
export function countedFrom(found: readonly Finding[]): string {
  return listed(
    found.map(({ rule, count, firstEvent }) => {
      const place = ["from", "event", formatCount(firstEvent)].join(NO_BREAK);
      return [rule, `(${formatCount(count)}, ${place})`];
    }),
  );
}

export function paintVerdict(page: Page, replay: Replay, text: string): string {
  const { violations } = replay;
  if (isUnjudged(page, replay)) return page.paint("yellow", text);
  return page.paint(violations.length === 0 ? "green" : "red", text);
}

/** One paragraph for each rule that fired: how often, where first, and why. */
export function violationSection(page: Page, result: Replay): string[] {
  const heading = page.paint("bold", "What went wrong");
  const verdict = `  ${paintVerdict(page, result, verdictOf(page, result).replaceAll(NO_BREAK, " "))}`;
  if (result.violations.length === 0) return [heading, verdict];
  return [
    heading,
    ...result.violations.flatMap((found) => paragraph(page, "red", found)),
    ...labelled(page, "shortest", `gpalias witness <trace> ${namesOf(result)}, options as here`),
  ];
}

/** What a search for the first rule is told, broken as seldom as can be. */
function namesOf({ run, violations }: Replay): string {
  const rule = violations[0]?.rule ?? "";
  return [["--run", run].join(NO_BREAK), ["--rule", rule].join(NO_BREAK)].join(" ");
}

/** The same for advisories; nothing without any. */
export function advisorySection(page: Page, { advisories }: Replay): string[] {
  if (advisories.length === 0) return [];
  const lines = advisories.flatMap((found) => paragraph(page, "yellow", found));
  return [page.paint("bold", "What could be cheaper"), ...lines];
}

function paragraph(page: Page, style: "red" | "yellow", found: Finding): string[] {
  const { rule, defect, count, firstEvent, gpa, reason } = found;
  const times = `${formatCount(count)} ${count === 1 ? "time" : "times"}`;
  const first = `first at event ${formatCount(firstEvent)}, gpa ${gpa}`;
  const known = defect === "" ? "" : `; known defect ${defect}`;
  return [`  ${page.paint(style, rule)}`, ...labelled(page, "", `${times}, ${first}${known}: ${reason}`)];
}

/** Each rule once, with every reason that the runs have for it, and how to read on. */
export function whyLines(page: Page, style: "red" | "yellow", found: readonly Finding[]): string[] {
  return [...new Set(found.map(({ rule }) => rule))].sort().flatMap((rule) => {
    const mine = found.filter((each) => each.rule === rule);
    const reasons = [...new Set(mine.map(({ reason }) => reason))].join("; or ");
    const defects = [...new Set(mine.map(({ defect }) => defect))].filter((defect) => defect !== "").sort();
    const known = defects.length === 0 ? "" : ` (${defects.join(", ")})`;
    return [`  ${page.paint(style, rule)}${known}`, ...labelled(page, "", reasons)];
  });
}
