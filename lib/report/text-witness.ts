/** A witness as text: what is broken, what happens one line a step, and the tables and TLBs behind the last one. */
import type { NoWitness, WitnessChange, WitnessReport, WitnessStep } from "../witness/report.js";
import { formatCount, formatSeconds } from "./quantities.js";
import { joined, labelled, newPage, type Page, type TextOptions, table } from "./text-layout.js";
import { pageSections } from "./text-witness-page.js";

/** Lines of a timeline that fit before it is cut in the middle: a search that was stopped may have many more. */
const MOST_LINES = 60;

/** Names what was read where nothing was found: nothing is said of what the trace does not do. */
export async function renderWitness(
  result: WitnessReport | NoWitness,
  options: TextOptions = {},
): Promise<string> {
  const page = newPage(options);
  if (!result.found) return joined([nothing(page, result)]);
  return joined([
    heading(page, result),
    ruleSection(page, result),
    machineSection(page, result),
    await timeline(page, result),
    ...pageSections(page, result),
  ]);
}

function nothing(page: Page, { run, asked, events, judged, path }: NoWitness): string[] {
  const what = asked === undefined ? "no violation" : `no violation of ${asked}`;
  const head = `${page.paint("bold", run)}: ${what} in ${formatCount(events)} events of ${path}`;
  if (asked !== undefined && !judged.includes(asked)) {
    const why = "cannot fire in this VM; gpalias explain says which options it needs";
    return [head, ...labelled(page, "", `${asked} ${why}`)];
  }
  return [head, ...labelled(page, "judged", judged.length === 0 ? "no rule at all" : judged.join(", "))];
}

function heading(page: Page, { run, rule, defect, steps, minimal, ended }: WitnessReport): string[] {
  const style = rule.kind === "violation" ? "red" : "yellow";
  const word = rule.kind === "violation" ? "breaks" : "is told";
  const known = defect === "" ? "" : ` (known defect ${defect})`;
  const count = `${formatCount(steps.length)} ${steps.length === 1 ? "step" : "steps"}`;
  const how = minimal ? "none can be left out" : "there may be shorter ways";
  const why = ended === undefined ? "" : `, ended by its ${ended === "budget" ? "budget" : "interruption"}`;
  return [
    `${page.paint("bold", run)} ${word} ${page.paint(style, rule.id)}${known}`,
    `  in ${count}: ${minimal ? how : page.paint("yellow", `${how}${why}`)}`,
  ];
}

function ruleSection(page: Page, { rule, reason, gpa, trace, search, timing }: WitnessReport): string[] {
  return [
    ...labelled(page, "rule", rule.sentence),
    ...labelled(page, "here", `${reason}, at gpa ${gpa}`),
    ...labelled(page, "why", rule.reason),
    ...labelled(page, "source", rule.source),
    ...(trace === undefined
      ? []
      : labelled(page, "from", `${trace.path}, event ${formatCount(trace.firstEvent)}`)),
    ...(search === undefined
      ? []
      : labelled(
          page,
          "search",
          `${formatCount(search.probes)} probes, ${formatCount(search.events)} events, ${formatSeconds(timing.wallNs / 1e9)}`,
        )),
  ];
}

function machineSection(page: Page, { config, memslots }: WitnessReport): string[] {
  const { alias, mmu: _, ...others } = config;
  const settings = Object.entries(others).map(([name, value]) => `${name} ${said(value)}`);
  const slots = memslots.map(({ slot, gpa, size, flags, backing }) => {
    const marks = [flags & 1 ? "logged" : "", flags & 2 ? "read-only" : "", backing === "4K" ? "" : backing];
    return [`slot ${slot}: ${gpa}+${size}`, ...marks.filter((mark) => mark !== "")].join(" ");
  });
  return [
    page.paint("bold", "Machine"),
    ...labelled(page, "alias", alias?.preset ?? "none"),
    ...labelled(page, "memory", slots.length === 0 ? "no memslot" : slots.join(", ")),
    ...(settings.length === 0 ? [] : labelled(page, "and", settings.join(", "))),
  ];
}

const said = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? Object.entries(value)
        .map(([name, each]) => `${name}=${typeof each === "object" ? JSON.stringify(each) : String(each)}`)
        .join(" ")
    : String(value);

async function timeline(page: Page, { steps, audit }: WitnessReport): Promise<string[]> {
  const shown = shownOf(steps);
  const hasNumbers = steps.some(({ event }) => event !== undefined);
  const rows = shown.map(({ step, at }) => rowOf(step, at, hasNumbers));
  const head = ["", ...(hasNumbers ? ["event"] : []), "who", "what", "outcome", "flush", "SPTEs"];
  const align = [
    ...(hasNumbers ? (["right", "right"] as const) : (["right"] as const)),
    "left",
    "left",
    "left",
    "left",
    "right",
  ] as const;
  const [title = "", ...lines] = await table([head, ...rows], align);
  const body = lines.flatMap((line, row) => {
    const entry = shown[row] as Shown;
    const isLast = entry.at === steps.length - 1 && !audit;
    const gap = entry.skipped > 0 ? [page.paint("dim", `  ... ${formatCount(entry.skipped)} more ...`)] : [];
    return [
      ...gap,
      isLast ? page.paint("red", line) : line,
      ...entry.step.changes.map((change) => changeLine(page, change)),
    ];
  });
  const end = audit ? [page.paint("red", "  an audit of the whole state finds it")] : [];
  return [page.paint("bold", "Timeline"), page.paint("dim", title), ...body, ...end];
}

interface Shown {
  readonly step: WitnessStep;
  readonly at: number;
  /** Steps in front of it that are not shown. */
  readonly skipped: number;
}

/** All of them, or the first and the last ones. */
function shownOf(steps: readonly WitnessStep[]): Shown[] {
  const all = steps.map((step, at) => ({ step, at, skipped: 0 }));
  if (steps.length <= MOST_LINES) return all;
  const half = MOST_LINES / 2;
  const [first, ...rest] = all.slice(-half);
  return [...all.slice(0, half), { ...(first as Shown), skipped: steps.length - MOST_LINES }, ...rest];
}

function rowOf(step: WitnessStep, at: number, hasNumbers: boolean): string[] {
  const { says, vcpu, event, outcome, flush, flushedPages, sptesChanged } = step;
  const who = vcpu === undefined ? (says.startsWith("host") ? "host" : "VMM") : `vCPU ${vcpu}`;
  const pages = flush === "range" ? `range, ${formatCount(flushedPages)}` : flush;
  return [
    `${at + 1}.`,
    ...(hasNumbers ? [event === undefined ? "" : formatCount(event)] : []),
    who,
    says,
    outcome,
    pages === "none" ? "-" : pages,
    sptesChanged === 0 ? "-" : formatCount(sptesChanged),
  ];
}

const changeLine = (page: Page, { gpa, before, after }: WitnessChange): string =>
  page.paint("dim", `         ${gpa}: ${before} -> ${after}`);
