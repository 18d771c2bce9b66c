/**
 * Values of any type, as JSON and Parquet have them, to the columns of an
 * event.
 *
 * A number may be a bigint, and an address a hex string. Ranges are not
 * judged here. It must not know where values come from.
 */
import { accessValueOf, kindValue } from "./event-words.js";
import type { EventRow } from "./row-check.js";

/** Reads one value into the row; false if it cannot be one. */
type Reader = (row: EventRow, value: unknown) => boolean;

interface Column {
  readonly read: Reader;
  /** What was expected, behind "expected". */
  readonly expected: string;
}

const HEX = /^0x[0-9a-f]{1,16}$/i;
const HALF_DIGITS = 8;
const HIGHEST_ACCESS = 255;
const RIP_BITS = 64;

/** Columns by name, in the order in which they are read: what `access` means depends on `kind`. */
export const ROW_COLUMNS: Readonly<Record<string, Column>> = {
  kind: { read: readKind, expected: "a kind of event" },
  time: { read: number("time"), expected: "time to be a number of seconds" },
  vcpu: { read: number("vcpu"), expected: "vcpu to be a number" },
  gpa: { read: address("gpa"), expected: "gpa to be a hex string or a number" },
  bytes: { read: address("bytes"), expected: "bytes to be a number or a hex string" },
  errorCode: { read: address("errorCode"), expected: "errorCode to be a number or a hex string" },
  access: { read: readAccess, expected: "access to be words such as read, write or read+write" },
  rip: { read: readRip, expected: "rip to be a hex string of up to 16 digits, or a number" },
};

export const ROW_COLUMN_NAMES: readonly string[] = Object.keys(ROW_COLUMNS);

/** Makes every column 0 again. */
export function clearRow(row: EventRow): void {
  row.time = 0;
  row.kind = 0;
  row.vcpu = 0;
  row.gpa = 0;
  row.bytes = 0;
  row.errorCode = 0;
  row.access = 0;
  row.ripLow = 0;
  row.ripHigh = 0;
}

function readKind(row: EventRow, value: unknown): boolean {
  const kind = kindValue(value);
  row.kind = kind ?? 0;
  return kind !== undefined;
}

function readAccess(row: EventRow, value: unknown): boolean {
  const access = typeof value === "string" ? accessValueOf(row.kind, value) : numberIn(value);
  row.access = access ?? 0;
  return access !== undefined && Number.isInteger(access) && access >= 0 && access <= HIGHEST_ACCESS;
}

function number(name: "time" | "vcpu"): Reader {
  return (row, value) => {
    const known = numberIn(value);
    row[name] = known ?? 0;
    return known !== undefined;
  };
}

// Number() rounds what has more than 53 bits, to where the check of ranges refuses it.
function address(name: "gpa" | "bytes" | "errorCode"): Reader {
  return (row, value) => {
    const known = typeof value === "string" && HEX.test(value) ? Number(value) : numberIn(value);
    row[name] = known ?? 0;
    return known !== undefined;
  };
}

function numberIn(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "bigint" ? Number(value) : undefined;
}

function readRip(row: EventRow, value: unknown): boolean {
  if (typeof value === "string") return HEX.test(value) && setRip(row, value.slice(2));
  // A database without unsigned numbers has the kernel's half as negative ones.
  if (typeof value === "bigint") return setRip(row, BigInt.asUintN(RIP_BITS, value).toString(16));
  return Number.isSafeInteger(value) && Number(value) >= 0 && setRip(row, Number(value).toString(16));
}

function setRip(row: EventRow, digits: string): boolean {
  const split = Math.max(0, digits.length - HALF_DIGITS);
  row.ripLow = Number(`0x${digits.slice(split)}`);
  row.ripHigh = split === 0 ? 0 : Number(`0x${digits.slice(0, split)}`);
  return true;
}
