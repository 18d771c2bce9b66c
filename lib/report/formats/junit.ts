/**
 * JUnit's XML, as build servers read it: a suite for each run, a case for each
 * rule.
 *
 * There is no standard; this keeps to what Jenkins, GitLab and GitHub's
 * reporters have in common: testsuites, testsuite, properties, testcase,
 * failure, skipped, system-out.
 */
import type { ReportFormat } from "../report-format.js";
import type { Case, Fired, Suite } from "../suites.js";

const junit: ReportFormat = {
  name: "junit",
  render: (suites) => {
    const cases = suites.flatMap((suite) => suite.cases);
    const seconds = suites.reduce((sum, suite) => sum + suite.seconds, 0);
    const lines = [
      '<?xml version="1.0" encoding="UTF-8"?>',
      `<testsuites name="gpalias"${countsOf(cases)} time="${seconds.toFixed(3)}">`,
      ...suites.flatMap(suiteLines),
      "</testsuites>",
    ];
    return `${lines.join("\n")}\n`;
  },
};
export default junit;

function countsOf(cases: readonly Case[]): string {
  const having = (status: Case["status"]) => cases.filter((each) => each.status === status).length;
  return ` tests="${cases.length}" failures="${having("failed")}" errors="0" skipped="${having("skipped")}"`;
}

function suiteLines({ run, properties, seconds, cases }: Suite): string[] {
  const named = Object.entries(properties);
  const lines = named.map(([name, value]) => `      <property${attributes({ name, value })}/>`);
  return [
    `  <testsuite${attributes({ name: run })}${countsOf(cases)} time="${seconds.toFixed(3)}">`,
    ...(lines.length === 0 ? [] : ["    <properties>", ...lines, "    </properties>"]),
    ...cases.flatMap((each) => caseLines(run, each)),
    "  </testsuite>",
  ];
}

function caseLines(run: string, each: Case): string[] {
  const head = `    <testcase${attributes({ classname: run, name: each.rule })}`;
  const inside = insideOf(each);
  return inside === undefined ? [`${head}/>`] : [`${head}>`, `      ${inside}`, "    </testcase>"];
}

function insideOf(each: Case): string | undefined {
  if (each.status === "skipped") return `<skipped${attributes({ message: each.why })}/>`;
  if (each.status === "failed") {
    const head = attributes({ message: each.fired.summary, type: each.kind });
    return `<failure${head}>${escaped(detailOf(each.fired))}</failure>`;
  }
  if (each.advice === undefined) return undefined;
  return `<system-out>${escaped(`advisory: ${each.advice.summary}: ${detailOf(each.advice)}`)}</system-out>`;
}

function detailOf({ reason, defect }: Fired): string {
  return defect === undefined ? reason : `${reason} (known defect ${defect})`;
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(value)}"`)
    .join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  // A parser makes spaces of these in attributes.
  "\n": "&#10;",
  "\r": "&#13;",
  "\t": "&#9;",
};

/** XML 1.0, production 2: everything else may not stand in a document, not even as a reference. */
const NOT_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

function escaped(text: string): string {
  return text.replace(NOT_XML, "\u{fffd}").replace(/[&<>"'\n\r\t]/g, (sign) => ENTITIES[sign] as string);
}
