/** What came of a verification, as text for a person: the counts, then each failure in full. */
import type { VectorFailure, Verification } from "../vectors/types.js";
import { formatCount } from "./quantities.js";
import { joined, labelled, newPage, type Page, type TextOptions } from "./text-layout.js";

/** Text of at most `columns` columns, except for words that are longer than a line. */
export function renderVerification(result: Verification, options: TextOptions = {}): string {
  const page = newPage(options);
  const failures = result.firstFailures.map((failure) => failureLines(page, failure));
  return joined([[summary(page, result)], ...failures, ...omitted(result)]);
}

function summary(page: Page, { cases, passed, failed, skipped }: Verification): string {
  const counts = [`${formatCount(passed)} passed`];
  if (failed > 0) counts.push(page.paint("red", `${formatCount(failed)} failed`));
  if (skipped > 0) counts.push(`${formatCount(skipped)} skipped: of no known kind`);
  return `${formatCount(cases)} vectors: ${counts.join(", ")}`;
}

function failureLines(page: Page, { file, line, id, step, op, expected, got }: VectorFailure): string[] {
  return [
    page.paint("bold", `${id}, op ${step} (${file}: line ${line})`),
    ...labelled(page, "op", JSON.stringify(op)),
    ...labelled(page, "expected", JSON.stringify(expected)),
    ...labelled(page, "got", JSON.stringify(got)),
  ];
}

function omitted({ failed, firstFailures }: Verification): string[][] {
  const more = failed - firstFailures.length;
  return more > 0 ? [[`${formatCount(more)} more failed`]] : [];
}
