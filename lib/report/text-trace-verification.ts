/** What came of holding a recording to itself and to the model, as text for a person: what was judged, and what is wrong. */
import type { ModelComparison, QuotedLine, TraceFinding, TraceVerification } from "../observe/types.js";
import { formatCount } from "./quantities.js";
import {
  joined,
  labelled,
  listed,
  newPage,
  type Page,
  type Style,
  type TextOptions,
  wrap,
} from "./text-layout.js";

const SHOWN = 20;
const STYLES: Readonly<Record<TraceFinding["severity"], Style>> = {
  error: "red",
  warning: "yellow",
  note: "dim",
};

/** Text of at most `columns` columns, except for lines of the recording, which stay whole. */
export function renderTraceVerification(result: TraceVerification, options: TextOptions = {}): string {
  const page = newPage(options);
  return joined([
    headLines(page, result),
    ...result.findings.slice(0, SHOWN).map((finding) => findingLines(page, finding)),
    restLines(result),
    checkLines(page, result),
    result.model === null ? labelled(page, "model", result.noModel ?? "") : modelLines(page, result.model),
  ]);
}

function headLines(page: Page, result: TraceVerification): string[] {
  const { source, lines, lost, gaps, entries, findings } = result;
  const errors = findings.filter(({ severity }) => severity !== "note").length;
  const verdict =
    errors === 0 ? "nothing suspicious" : page.paint("red", `${formatCount(errors)} suspicious`);
  const counted = Object.entries(result.events).map(([name, count]) => [formatCount(count), name] as const);
  const skipped = Object.entries(result.skipped).map(([name, count]) => [formatCount(count), name] as const);
  return [
    ...wrap(`${source}: ${formatCount(lines)} lines: ${verdict}`, page.columns),
    ...labelled(page, "entries", `${entries.value} (${entries.confidence}: ${entries.why})`),
    ...(counted.length > 0 ? labelled(page, "events", listed(counted)) : []),
    ...(skipped.length > 0 ? labelled(page, "passed over", listed(skipped)) : []),
    ...malformedLines(page, result),
    ...(lost > 0 ? labelled(page, "lost", `${formatCount(lost)} events that the recorder dropped`) : []),
    ...(gaps > 0 ? labelled(page, "gaps", `${formatCount(gaps)} places where lines are missing`) : []),
  ];
}

function malformedLines(page: Page, { malformed }: TraceVerification): string[] {
  return Object.entries(malformed).flatMap(([name, { count, firstLine, expected }]) =>
    labelled(
      page,
      "unreadable",
      `${formatCount(count)} ${name}, first in line ${firstLine}: expected ${expected}`,
    ),
  );
}

function findingLines(page: Page, finding: TraceFinding): string[] {
  const { check, severity, confidence, line, why, context } = finding;
  const head = `line ${line}: ${page.paint(STYLES[severity], severity)} (${check}, ${confidence} confidence)`;
  return [
    page.paint("bold", head),
    ...wrap(why, page.columns - 2).map((each) => `  ${each}`),
    ...context.map((quote) => quoteLine(page, quote, line)),
  ];
}

function quoteLine(page: Page, { line, text }: QuotedLine, at: number): string {
  const mark = line === at ? ">" : " ";
  const quote = `  ${mark} ${String(line).padStart(7)}  ${text.trimStart()}`;
  return line === at ? quote : page.paint("dim", quote);
}

function restLines({ findings, checks, model }: TraceVerification): string[] {
  const all = checks.reduce((sum, check) => sum + check.findings, model?.difference == null ? 0 : 1);
  const rest = all - Math.min(SHOWN, findings.length);
  return rest > 0 ? [`... and ${formatCount(rest)} more, which --json prints as far as they are kept`] : [];
}

function checkLines(page: Page, { checks }: TraceVerification): string[] {
  const done = checks.filter(({ notChecked }) => notChecked === null).map(({ id }) => id);
  const not = checks.flatMap(({ id, notChecked }) => (notChecked === null ? [] : [`${id}: ${notChecked}`]));
  return [
    ...labelled(page, "checked", done.length === 0 ? "nothing" : done.join(", ")),
    ...not.flatMap((each) => labelled(page, "not checked", each)),
  ];
}

function modelLines(
  page: Page,
  { host, steps, agreed, setAside, difference, stopped }: ModelComparison,
): string[] {
  const verdict =
    difference === null ? "no difference" : page.paint("red", `differs at line ${difference.line}`);
  const said = `${verdict}: ${formatCount(agreed)} lines agree, in ${formatCount(steps)} whole steps`;
  const guesses = Object.entries(host).map(
    ([name, { value, confidence }]) =>
      [`${name}`, `${value}${confidence === "high" ? "" : ` (${confidence})`}`] as const,
  );
  return [
    ...labelled(page, "model", said),
    ...labelled(page, "host", listed(guesses)),
    ...setAside.flatMap((each) => labelled(page, "set aside", each)),
    ...(stopped === null ? [] : labelled(page, "stopped", `at line ${stopped.line}: ${stopped.why}`)),
  ];
}
