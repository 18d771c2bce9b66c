/** The result of a check as text: what was found and how it comes about, and how far was looked. */
import type { CheckResult, CheckViolation } from "../check/result.js";
import { formatCount } from "./quantities.js";
import { joined, newPage, type Page, type TextOptions } from "./text-layout.js";

/** Names the bound: what was not found is not there within it, and nothing is said of what lies beyond. */
export function renderCheck(result: CheckResult, options: TextOptions = {}): string {
  const page = newPage(options);
  return joined([
    heading(page, result),
    ...result.violations.map((each) => section(page, "violation", each)),
    ...result.advisories.map((each) => section(page, "advisory", each)),
  ]);
}

function heading(page: Page, result: CheckResult): string[] {
  const { run, bound, worlds, states, transitions, complete } = result;
  const { vcpus, pages, operations } = bound;
  const covered = complete ? operations : Math.min(...worlds.map((world) => world.covered));
  return [
    `${page.paint("bold", run)}: ${verdict(page, result)}`,
    `  every sequence of up to ${covered} operations by ${vcpus} vCPUs on ${pages} pages, in ${worlds.length} worlds`,
    `  ${formatCount(states)} states, ${formatCount(transitions)} transitions`,
    ...(complete ? [] : [page.paint("yellow", `  not complete: ${operations} operations were asked for`)]),
  ];
}

function verdict(page: Page, { violations }: CheckResult): string {
  if (violations.length === 0) return page.paint("green", "no violation");
  return page.paint("red", `unsafe under ${violations.map(({ rule }) => rule).join(", ")}`);
}

function section(
  page: Page,
  word: string,
  { rule, defect, reason, world, witness }: CheckViolation,
): string[] {
  const known = defect === undefined ? "" : ` (${defect})`;
  return [
    `${page.paint("bold", `${word} ${rule}`)}${known}: ${reason}`,
    `  in world ${world}:`,
    ...witness.operations.map(({ says }, index) => `  ${index + 1}. ${says}`),
  ];
}
