/**
 * Runs as a build server sees them: a suite for each, with a case for each
 * rule there is, so that a case is the same one from day to day.
 *
 * A violation fails its case. An advisory does so only where it was asked for
 * by name. What was not judged is skipped, and why.
 */
import type { ComparedRun, NotApplicable } from "../compare.js";
import type { NativeRule } from "../native/addon-types.js";
import type { Replay } from "../replay.js";
import { formatCount } from "./quantities.js";

/** A rule that fired, in sentences. */
export interface Fired {
  /** How often, and where first. */
  readonly summary: string;
  readonly reason: string;
  /** Of the known defect behind it; absent if there is none. */
  readonly defect?: string;
}

/** One rule in one run. */
export type Case = { readonly rule: string } & (
  | { readonly status: "passed"; readonly advice?: Fired }
  | { readonly status: "failed"; readonly kind: NativeRule["kind"]; readonly fired: Fired }
  | { readonly status: "skipped"; readonly why: string }
);

export interface Suite {
  /** `strategy/flavour` */
  readonly run: string;
  /** What was asked for, by name. */
  readonly properties: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly cases: readonly Case[];
  /** Why there was no run. */
  readonly notApplicable?: string;
}

/** @param failOn rules that were asked for by name, advisories among them */
export function suitesOf(
  runs: readonly ComparedRun[],
  rules: readonly NativeRule[],
  failOn: readonly string[] = [],
  allowLossy = false,
): readonly Suite[] {
  return runs.map((run) => ("input" in run ? ofReplay(run, rules, failOn, allowLossy) : notRun(run, rules)));
}

function notRun({ run, notApplicable }: NotApplicable, rules: readonly NativeRule[]): Suite {
  const why = `n/a: ${notApplicable}`;
  const cases = rules.map(({ id }) => ({ rule: id, status: "skipped", why }) as const);
  return { run, properties: {}, seconds: 0, cases, notApplicable };
}

function ofReplay(
  replay: Replay,
  rules: readonly NativeRule[],
  failOn: readonly string[],
  allowLossy: boolean,
): Suite {
  const { run, input, config, timing } = replay;
  const { alias, project, flushProvider, tlb } = config;
  return {
    run,
    properties: {
      trace: input.path,
      events: String(input.events),
      alias: alias.preset,
      project,
      "flush-provider": flushProvider,
      tlb: tlbProperty(tlb),
    },
    seconds: timing.wallNs / 1e9,
    cases: rules
      .map((rule) => caseOf(replay, rule, failOn))
      .map((each) => (allowLossy ? each : unlessLossy(replay, each))),
  };
}

/** As `--tlb` takes it, where it can say it. */
function tlbProperty(tlb: Replay["config"]["tlb"]): string {
  if (tlb === false) return "off";
  if (!("arrays" in tlb)) return `${tlb.entries},${tlb.ways}`;
  return tlb.preset ?? JSON.stringify(tlb.arrays);
}

function caseOf(
  { violations, advisories, judged }: Replay,
  rule: NativeRule,
  failOn: readonly string[],
): Case {
  const { id, kind } = rule;
  const found = [...violations, ...advisories].find((each) => each.rule === id);
  if (found !== undefined) {
    const isAdvice = kind === "advisory" && !failOn.includes(id);
    if (isAdvice) return { rule: id, status: "passed", advice: firedOf(found) };
    return { rule: id, status: "failed", kind, fired: firedOf(found) };
  }
  if (judged.includes(id)) return { rule: id, status: "passed" };
  return { rule: id, status: "skipped", why: whyNotJudged(rule) };
}

/** That a rule did not fire where events are missing says nothing. */
function unlessLossy({ input }: Replay, each: Case): Case {
  if (input.verdict === "complete" || each.status !== "passed" || each.advice !== undefined) return each;
  const why = `the trace is lossy: the recorder dropped ${formatCount(input.lost)} events`;
  return { rule: each.rule, status: "skipped", why };
}

function firedOf({ count, firstEvent, gpa, reason, defect }: Replay["violations"][number]): Fired {
  const times = `${formatCount(count)} ${count === 1 ? "time" : "times"}`;
  const summary = `${times}, first at event ${firstEvent}, gpa ${gpa}`;
  return { summary, reason, ...(defect !== "" && { defect }) };
}

function whyNotJudged({ needs }: NativeRule): string {
  const wanted = needs.length === 0 ? "" : `; it needs ${needs.join(" and ")}`;
  return `it cannot fire in this VM${wanted}`;
}
