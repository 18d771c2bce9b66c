/**
 * The state of a machine and a build, as data and as text for a person.
 *
 * Knows the shape of a diagnosis and nothing of how it was made.
 */
import { joined, newPage, type Page, type Style, type TextOptions, wrap } from "./text-layout.js";

/** `ok` works, `warning` works with a limit, `failure` is in the way. */
export type FindingStatus = "ok" | "warning" | "failure";

export interface Finding {
  readonly name: string;
  readonly status: FindingStatus;
  readonly value: string;
  /** What to do about it; absent if all is well. */
  readonly advice?: string;
}

/** What `gpalias doctor --json` prints. */
export interface Diagnosis {
  readonly schemaVersion: 1;
  readonly version: string;
  /** Whether no finding is a failure. */
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** What the addon says of its own build; absent if it cannot be loaded. */
  readonly build?: Readonly<Record<string, string | boolean | number>>;
}

const MARKS: Readonly<Record<FindingStatus, readonly [string, Style]>> = {
  ok: ["ok", "green"],
  warning: ["note", "yellow"],
  failure: ["FAIL", "red"],
};
const MARK_WIDTH = 6;
const NAME_WIDTH = 17;

/** Text of at most `columns` columns, except for words that are longer than a line. */
export function renderDiagnosis({ version, ok, findings }: Diagnosis, options: TextOptions = {}): string {
  const page = newPage(options);
  const verdict = ok ? "Nothing is in the way of a replay." : "gpalias cannot work here yet: see FAIL above.";
  return joined([
    [page.paint("bold", `gpalias ${version}`)],
    findings.flatMap((finding) => linesOf(page, finding)),
    [verdict],
  ]);
}

function linesOf(page: Page, { name, status, value, advice }: Finding): string[] {
  const margin = MARK_WIDTH + NAME_WIDTH;
  const [mark, style] = MARKS[status];
  const [first = "", ...rest] = wrap(value, page.columns - margin);
  const more = [...rest, ...(advice === undefined ? [] : wrap(`-> ${advice}`, page.columns - margin))];
  const head = page.paint(style, mark.padEnd(MARK_WIDTH)) + name.padEnd(NAME_WIDTH) + first;
  return [head, ...more.map((line) => " ".repeat(margin) + line)];
}
