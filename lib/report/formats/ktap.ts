/**
 * KTAP, the kernel's own form of test results: a test for each run, and in it
 * a subtest for each rule.
 *
 * Source: Documentation/dev-tools/ktap.rst (v6.16), version 1.
 */
import type { ReportFormat } from "../report-format.js";
import type { Case, Fired, Suite } from "../suites.js";

const INDENT = "  ";

const ktap: ReportFormat = {
  name: "ktap",
  render: (suites) => {
    const lines = ["KTAP version 1", `1..${suites.length}`, ...suites.flatMap(suiteLines)];
    return `${lines.join("\n")}\n`;
  },
};
export default ktap;

/** The subtests come before the line that sums them up. */
function suiteLines({ run, properties, cases, notApplicable }: Suite, index: number): string[] {
  const hasFailed = cases.some(({ status }) => status === "failed");
  const about = Object.entries(properties).map(([name, value]) => `# ${oneLine(`${name}: ${value}`)}`);
  const head = ["KTAP version 1", `# Subtest: ${run}`, `1..${cases.length}`];
  const inside = [...head, ...about, ...cases.flatMap(caseLines)];
  const skip = notApplicable === undefined ? "" : ` # SKIP ${oneLine(`n/a: ${notApplicable}`)}`;
  return [...inside.map((line) => INDENT + line), `${verdict(hasFailed)} ${index + 1} ${run}${skip}`];
}

/** Diagnostic lines belong to the result below them. */
function caseLines(each: Case, index: number): string[] {
  const head = `${verdict(each.status === "failed")} ${index + 1} ${each.rule}`;
  if (each.status === "skipped") return [`${head} # SKIP ${oneLine(each.why)}`];
  const fired = each.status === "failed" ? each.fired : each.advice;
  return fired === undefined ? [head] : [...diagnosis(each.rule, fired), head];
}

function diagnosis(rule: string, { summary, reason, defect }: Fired): string[] {
  const lines = [summary, reason, ...(defect === undefined ? [] : [`known defect ${defect}`])];
  return lines.map((line) => `# ${rule}: ${oneLine(line)}`);
}

function verdict(hasFailed: boolean): string {
  return hasFailed ? "not ok" : "ok";
}

/** A line break would begin a line that is none of ours. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
