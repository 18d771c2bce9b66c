/**
 * Memslots for a trace that comes without any: guesses from the addresses.
 *
 * Known about x86 machines: RAM starts at 0, the VGA window is a hole in it,
 * the top of the low 4 GiB belongs to devices and, at its very end, to
 * firmware, and RAM goes on at 4 GiB. Whether a page was MMIO is not known
 * after decoding, so addresses decide. Every conclusion is reported as a
 * guess. It must not read traces.
 */
import {
  alignDown,
  alignUp,
  formatGpa,
  formatRange,
  GiB,
  type Gpa,
  KiB,
  MiB,
  PAGE_BYTES,
} from "../address.js";
import type { MemslotDescription } from "./capture-json.js";
import type { Survey, TouchedRange } from "./survey-trace.js";

/** Something that was concluded and not told. */
export interface Guess {
  /** What it is about: `memslot 0`, `vcpus`, ... */
  readonly what: string;
  readonly value: string | number | boolean;
  /** 0 to 1, a judgement and not a measurement. */
  readonly confidence: number;
  readonly why: string;
}

export interface InferredMemslots {
  readonly memslots: readonly MemslotDescription[];
  readonly guesses: readonly Guess[];
}

const VGA_START = 0xa0000;
const VGA_END = 0xc0000;
const LOW_END = MiB;
/** q35 puts its PCI configuration window here; a pc machine may have RAM. */
const ECAM_START = 0xb000_0000;
/** From here to 4 GiB: PCI windows, IOAPIC, HPET, APIC; never RAM. */
const DEVICES_START = 0xc000_0000;
const FIRMWARE_START = 0xffc0_0000;
const FIRMWARE_UNIT = 256 * KiB;
const RAM_UNIT = 2 * MiB;
const FOUR_GIB = 4 * GiB;
/** RAM above 4 GiB may be untouched for so long; a device window lies further off. */
const HIGH_GAP = 16 * GiB;
/** RAM is touched in more pages than a device has registers. */
const MIN_HIGH_PAGES = 64;
/** RAM right below q35's window makes what is in it RAM as well. */
const ECAM_NEIGHBOURHOOD = 64 * MiB;
/** Touched pages in a row that no scan of PCI devices leaves behind: a device has at most 8. */
const RAM_RUN = 64 * PAGE_BYTES;

interface Candidate {
  readonly gpa: Gpa;
  readonly end: Gpa;
  readonly readonly: boolean;
  readonly confidence: number;
  readonly why: string;
}

/** Guesses memslots from what a trace touches. */
export function inferMemslots(survey: Survey): InferredMemslots {
  const touched = [...survey.touched.ranges()];
  const found = [...lowMemory(touched), ...mainMemory(touched), ...firmware(touched), ...highMemory(survey)];
  return {
    memslots: found.map(({ gpa, end, readonly }, id) => {
      return { id, asId: 0, gpa, bytes: end - gpa, readonly, dirtyLog: false };
    }),
    guesses: found.map(guessOf),
  };
}

function guessOf({ gpa, end, readonly, confidence, why }: Candidate, id: number): Guess {
  const value = `${formatRange(gpa, end - gpa)}${readonly ? " read-only" : ""}`;
  return { what: `memslot ${id}`, value, confidence, why };
}

// Two slots around the VGA window, as every PC has them.
function lowMemory(touched: readonly TouchedRange[]): Candidate[] {
  const why = (part: string) => `${part} below 1 MiB is touched, and a PC has the VGA window between`;
  const slots = [
    { gpa: 0, end: VGA_START, confidence: 0.95, why: why("memory") },
    { gpa: VGA_END, end: LOW_END, confidence: 0.6, why: `${why("the BIOS area")}; it may be ROM` },
  ];
  return slots
    .filter(({ gpa, end }) => pagesWithin(touched, gpa, end) > 0)
    .map((slot) => ({ ...slot, readonly: false }));
}

function mainMemory(touched: readonly TouchedRange[]): Candidate[] {
  const below = endWithin(touched, LOW_END, ECAM_START);
  const isRam = below > ECAM_START - ECAM_NEIGHBOURHOOD || hasRun(touched, ECAM_START, DEVICES_START);
  const end = isRam ? Math.max(below, endWithin(touched, ECAM_START, DEVICES_START)) : below;
  if (end === 0) return [];
  const why = `the highest page touched below the device window is at ${formatGpa(end - PAGE_BYTES)}`;
  return [{ gpa: LOW_END, end: alignUp(end, RAM_UNIT), readonly: false, confidence: 0.8, why }];
}

function firmware(touched: readonly TouchedRange[]): Candidate[] {
  const first = touched.find(({ gpa, bytes }) => gpa + bytes > FIRMWARE_START && gpa < FOUR_GIB);
  if (first === undefined) return [];
  const gpa = alignDown(Math.max(first.gpa, FIRMWARE_START), FIRMWARE_UNIT);
  const why = "firmware ends at 4 GiB, where the reset vector is";
  return [{ gpa, end: FOUR_GIB, readonly: true, confidence: 0.9, why }];
}

// RAM continues at 4 GiB. What lies far behind it is a device window unless
// too many of its pages are touched for that.
function highMemory(survey: Survey): Candidate[] {
  const clusters = [...survey.touched.ranges(HIGH_GAP)].filter(({ gpa, bytes }) => gpa + bytes > FOUR_GIB);
  return clusters.flatMap(({ gpa, bytes, pages }) => {
    const end = alignUp(gpa + bytes, RAM_UNIT);
    const isNext = gpa < FOUR_GIB + HIGH_GAP;
    if (!isNext && pages < MIN_HIGH_PAGES) return [];
    const start = isNext ? FOUR_GIB : alignDown(gpa, RAM_UNIT);
    const why = isNext ? "RAM goes on at 4 GiB" : `${pages} pages are touched there, more than a device has`;
    return [{ gpa: start, end, readonly: false, confidence: isNext ? 0.7 : 0.5, why }];
  });
}

function pagesWithin(touched: readonly TouchedRange[], start: Gpa, end: Gpa): number {
  return touched.filter(({ gpa, bytes }) => gpa < end && gpa + bytes > start).length;
}

function hasRun(touched: readonly TouchedRange[], start: Gpa, end: Gpa): boolean {
  return touched.some(({ gpa, bytes }) => Math.min(gpa + bytes, end) - Math.max(gpa, start) >= RAM_RUN);
}

/** End of the last touched page in [start, end), 0 if there is none. */
function endWithin(touched: readonly TouchedRange[], start: Gpa, end: Gpa): Gpa {
  const last = touched.findLast(({ gpa, bytes }) => gpa < end && gpa + bytes > start);
  return last === undefined ? 0 : Math.min(last.gpa + last.bytes, end);
}
