/**
 * What went wrong in a run, in words. Never "safe": a trace shows that a rule
 * was broken, or that it was not broken in so many events.
 */
import type { Replay } from "../replay.js";
import { formatCount } from "./quantities.js";
import { labelled, listed, NO_BREAK, type Page } from "./text-layout.js";

/** `unsafe under alias-stuck (41)`, or `no violation in 139,387 events`. */
export function verdictOf({ violations, input }: Replay): string {
  if (violations.length === 0) return `no violation in ${formatCount(input.events)}${NO_BREAK}events`;
  return `unsafe under ${listed(violations.map(({ rule, count }) => [rule, `(${formatCount(count)})`]))}`;
}

export function paintVerdict(page: Page, { violations }: Replay, text: string): string {
  return page.paint(violations.length === 0 ? "green" : "red", text);
}

/** One paragraph for each rule that fired: how often, where first, and why. */
export function violationSection(page: Page, result: Replay): string[] {
  const { violations } = result;
  const heading = page.paint("bold", "What went wrong");
  const verdict = `  ${paintVerdict(page, result, verdictOf(result).replaceAll(NO_BREAK, " "))}`;
  if (violations.length === 0) return [heading, verdict];
  const lines = violations.flatMap(({ rule, defect, count, firstEvent, gpa, reason }) => {
    const times = `${formatCount(count)} ${count === 1 ? "time" : "times"}`;
    const first = `first at event ${formatCount(firstEvent)}, gpa ${gpa}`;
    const known = defect === "" ? "" : `; known defect ${defect}`;
    return [`  ${page.paint("red", rule)}`, ...labelled(page, "", `${times}, ${first}${known}: ${reason}`)];
  });
  return [heading, ...lines];
}
