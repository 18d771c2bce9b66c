/**
 * What is in a trace, as data and as text for a person.
 *
 * Knows the shape of an inspection and nothing of how it was made.
 */
import { MEMSLOT_FLAGS } from "../memslot-numbers.js";
import type { ReplayConfig, ReplayInput, ReplayMemslot } from "../replay.js";
import { guessLines, inputSection } from "./input-section.js";
import { formatBytes, formatCount } from "./quantities.js";
import { joined, newPage, type Page, type TextOptions, table } from "./text-layout.js";

/** Memory that was touched: [gpa, gpa + bytes), of which `pages` 4 KiB pages. */
export interface InspectedRange {
  /** Lower-case hex. */
  readonly gpa: string;
  readonly bytes: number;
  readonly pages: number;
}

/** What `gpalias inspect --json` prints. */
export interface Inspection {
  readonly schemaVersion: 1;
  /** As a replay has it, where no projection has come into it. */
  readonly input: Omit<ReplayInput, "conversions">;
  /** Ascending; pages less than 2 MiB apart are in one range. */
  readonly ranges: readonly InspectedRange[];
  /** What a replay would give the VM. An `hva` is left out where the default holds. */
  readonly memslots: readonly InspectedMemslot[];
  readonly guesses: ReplayConfig["guesses"];
}

export type InspectedMemslot = Omit<ReplayMemslot, "hva" | "backing"> & Partial<Pick<ReplayMemslot, "hva">>;

/** Digits of a 52-bit address, so that a column of them lines up. */
const ADDRESS_DIGITS = 13;

/** Text of at most `columns` columns, except for words that are longer than a line. */
export async function renderInspection(found: Inspection, options: TextOptions = {}): Promise<string> {
  const page = newPage(options);
  return joined([
    inputSection(page, found.input),
    await rangeSection(page, found.ranges),
    await memslotSection(page, found.memslots),
    guessLines(page, found.guesses),
  ]);
}

async function rangeSection(page: Page, ranges: readonly InspectedRange[]): Promise<string[]> {
  if (ranges.length === 0) return ["No memory is touched."];
  const pages = ranges.reduce((sum, range) => sum + range.pages, 0);
  const rows = ranges.map(({ gpa, bytes, pages }) => [
    padded(Number(gpa)),
    padded(Number(gpa) + bytes),
    `${formatCount(pages)} of ${formatCount(bytes / 4096)}`,
  ]);
  const heading = `Touched: ${formatCount(pages)} pages of 4 KiB (${formatBytes(pages * 4096)})`;
  const lines = await table([["start", "end", "pages"], ...rows], ["left", "left", "right"]);
  return [page.paint("bold", heading), ...lines];
}

async function memslotSection(page: Page, memslots: readonly InspectedMemslot[]): Promise<string[]> {
  if (memslots.length === 0) return ["No memslot can be told from it: a replay needs --memslots."];
  const rows = memslots.map(({ slot, gpa, size, flags }) => [
    String(slot),
    padded(Number(gpa)),
    padded(Number(gpa) + Number(size)),
    formatBytes(Number(size)),
    flags >= MEMSLOT_FLAGS.readonly ? "ro" : "",
  ]);
  const lines = await table(
    [["slot", "start", "end", "size", ""], ...rows],
    ["right", "left", "left", "right", "left"],
  );
  return [page.paint("bold", "Memslots for a replay"), ...lines];
}

function padded(gpa: number): string {
  return `0x${gpa.toString(16).padStart(ADDRESS_DIGITS, "0")}`;
}
