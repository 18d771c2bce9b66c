/** What came of asking the machine's KVM, as text for a person: what was asked, and where the answers part. */
import type { KindOfScript, KvmDifference, KvmVerification } from "../kvm/types.js";
import { formatCount } from "./quantities.js";
import { joined, labelled, newPage, type Page, type TextOptions, wrap } from "./text-layout.js";

const UNSTEADY = "the kernel's own answers changed when it was asked again";

/** Text of at most `columns` columns, except for operations and vectors, which stay whole. */
export function renderKvmVerification(result: KvmVerification, options: TextOptions = {}): string {
  const page = newPage(options);
  const { difference } = result;
  const sections = [[...headLines(page, result), ...result.kinds.flatMap((kind) => kindLines(page, kind))]];
  if (difference !== null) sections.push(differenceLines(page, difference), vectorLines(page, difference));
  return joined(sections);
}

function headLines(page: Page, { cases, unsteady, seed, kernel, difference }: KvmVerification): string[] {
  const verdict = difference === null ? "every answer the same" : page.paint("red", "a difference");
  return [
    `${formatCount(cases)} scripts of seed ${seed}: ${cases === 0 ? "nothing was asked" : verdict}`,
    ...labelled(page, "kernel", `${kernel.release}, ${kernel.device}`),
    ...labelled(page, "engine", `${kernel.model}: ${kernel.because}`),
    ...(unsteady > 0 ? labelled(page, "unsteady", `${formatCount(unsteady)} scripts: ${UNSTEADY}`) : []),
  ];
}

function kindLines(page: Page, { kind, cases, notAsked }: KindOfScript): string[] {
  const said = notAsked === undefined ? `${formatCount(cases)} scripts` : `not asked: ${notAsked}`;
  return labelled(page, kind, said);
}

function differenceLines(page: Page, difference: KvmDifference): string[] {
  const { step, op, kernel, engine, shrink, vector } = difference;
  const { from, to, tried } = shrink;
  return [
    page.paint("bold", `${vector.id}, op ${step}`),
    ...labelled(page, "op", JSON.stringify(op)),
    ...labelled(page, "kernel", JSON.stringify(kernel)),
    ...labelled(page, "engine", page.paint("red", JSON.stringify(engine))),
    ...labelled(
      page,
      "script",
      `${to} of ${from} operations, the rest left out in ${formatCount(tried)} tries`,
    ),
    ...askedLines(difference).map((line) => `    ${line}`),
  ];
}

/** Up to the difference; other kinds than lists of operations are shown as vectors alone. */
function askedLines({ vector: { ops }, step }: KvmDifference): string[] {
  return Array.isArray(ops) ? ops.slice(0, step + 1).map((op, at) => `${at}  ${JSON.stringify(op)}`) : [];
}

function vectorLines(page: Page, { vector }: KvmDifference): string[] {
  const says = "With the kernel's answers, as a line of a file for gpalias verify vectors:";
  return [...wrap(says, page.columns), JSON.stringify(vector)];
}
