/**
 * Pieces of a text report: sections, labelled lines, tables and bars, each
 * fitted to a width and coloured or not.
 *
 * Knows widths and escape codes; knows nothing of what is reported.
 */
import { styleText } from "node:util";

export interface TextOptions {
  /** Columns that a line may use. @default 80 */
  readonly columns?: number;
  /** @default false */
  readonly color?: boolean;
  /** Whether a lossy trace may be judged as if it were complete. @default false */
  readonly allowLossy?: boolean;
}

export type Style = "bold" | "dim" | "green" | "yellow" | "red";

export interface Page {
  readonly columns: number;
  readonly allowLossy: boolean;
  paint(style: Style, text: string): string;
}

const INDENT = "  ";
const LABEL_WIDTH = 12;

export function newPage({ columns = 80, color = false, allowLossy = false }: TextOptions): Page {
  return {
    columns,
    allowLossy,
    paint: (style, text) => (color ? styleText(style, text, { validateStream: false }) : text),
  };
}

/** `  label       value`, the value wrapped under itself. */
export function labelled(page: Page, label: string, value: string): string[] {
  const margin = INDENT.length + LABEL_WIDTH;
  const [first = "", ...rest] = wrap(value, page.columns - margin);
  const head = INDENT + page.paint("dim", label.padEnd(LABEL_WIDTH)) + first;
  return [head, ...rest.map((line) => " ".repeat(margin) + line)];
}

/** A space that no line is broken at, as between a number and its unit. */
export const NO_BREAK = "\u00a0";

/** Breaks at spaces; a word that is wider than a line stays whole, so that paths can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each) => each.replaceAll(NO_BREAK, " "));
}

/** `139,386 access, 1 end`, broken between the pairs only. */
export function listed(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map((pair) => pair.join(NO_BREAK)).join(", ");
}

export type Align = "left" | "right";

const NO_BORDERS = Object.fromEntries(
  "top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid middle"
    .split(" ")
    .map((name) => [name, ""]),
);

/** Rows of one width each, indented, in columns as wide as they need to be. */
export async function table(
  rows: readonly (readonly string[])[],
  align: readonly Align[],
): Promise<string[]> {
  if (rows.length === 0) return [];
  // Only a report needs it, and it takes longer to load than a report to write.
  const { default: Table } = await import("cli-table3");
  const grid = new Table({
    chars: NO_BORDERS,
    style: { "padding-left": 0, "padding-right": 2, compact: true, head: [], border: [] },
    colAligns: [...align],
  });
  for (const row of rows) grid.push([...row]);
  return grid
    .toString()
    .split("\n")
    .map((line) => INDENT + line.trimEnd());
}

/** A bar from zero, `width` cells for the whole; never empty for something. */
export function bar(part: number, whole: number, width: number): string {
  if (part <= 0 || whole <= 0) return "";
  return "#".repeat(Math.max(1, Math.round((width * part) / whole)));
}

/** Sections with an empty line between them; empty ones are left out. */
export function joined(sections: readonly (readonly string[])[]): string {
  const texts = sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${texts.join("\n\n")}\n`;
}
