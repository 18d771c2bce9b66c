/**
 * One line of NDJSON to one event.
 *
 * Keys that are absent are 0; a key that is none of an event's is refused, as
 * a misspelt `errorcode` would be lost in silence. It must not know where
 * lines come from.
 */
import { accessValueOf, kindValue } from "./event-words.js";
import type { EventRow } from "./row-check.js";

/** Reads one value into the row; false if it cannot be one. */
type Reader = (row: EventRow, value: unknown) => boolean;

const HEX = /^0x[0-9a-f]{1,16}$/i;
const HALF_DIGITS = 8;
const HIGHEST_ACCESS = 255;

// In an order of our own: what `access` means depends on `kind`.
const READERS: Readonly<Record<string, { readonly read: Reader; readonly expected: string }>> = {
  kind: { read: readKind, expected: "a kind of event" },
  time: { read: number("time"), expected: "time to be a number of seconds" },
  vcpu: { read: number("vcpu"), expected: "vcpu to be a number" },
  gpa: { read: address("gpa"), expected: "gpa to be a hex string or a number" },
  bytes: { read: address("bytes"), expected: "bytes to be a number or a hex string" },
  errorCode: { read: address("errorCode"), expected: "errorCode to be a number or a hex string" },
  access: { read: readAccess, expected: "access to be words such as read, write or read+write" },
  rip: { read: readRip, expected: "rip to be a hex string of up to 16 digits, or a number" },
};
const NAMES = Object.keys(READERS);

/** Whether these bytes are an object of ours: it says what kind of event it is, or its address. */
export function isEventObject(line: string): boolean {
  const object = objectIn(line);
  return object !== undefined && (Object.hasOwn(object, "kind") || Object.hasOwn(object, "gpa"));
}

/** Reads a line into `row`; returns what was expected instead, undefined if all is well. */
export function rowOfJson(line: string, row: EventRow): string | undefined {
  const object = objectIn(line);
  if (object === undefined) return "a JSON object";
  for (const key in object) if (!Object.hasOwn(READERS, key)) return `one of the keys ${NAMES.join(", ")}`;
  clear(row);
  for (const name of NAMES) {
    const value = object[name];
    if (value === undefined) continue;
    const { read, expected } = READERS[name] as (typeof READERS)[string];
    if (!read(row, value)) return expected;
  }
  return undefined;
}

function objectIn(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function clear(row: EventRow): void {
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
  const access = typeof value === "number" ? value : accessValueOf(row.kind, value);
  row.access = access ?? 0;
  return access !== undefined && Number.isInteger(access) && access >= 0 && access <= HIGHEST_ACCESS;
}

function number(name: "time" | "vcpu"): Reader {
  return (row, value) => {
    if (typeof value !== "number") return false;
    row[name] = value;
    return true;
  };
}

// Number() rounds what has more than 53 bits, to where the check of ranges refuses it.
function address(name: "gpa" | "bytes" | "errorCode"): Reader {
  return (row, value) => {
    const isHex = typeof value === "string" && HEX.test(value);
    if (!isHex && typeof value !== "number") return false;
    row[name] = Number(value);
    return true;
  };
}

function readRip(row: EventRow, value: unknown): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value) && setRip(row, value.toString(16));
  return typeof value === "string" && HEX.test(value) && setRip(row, value.slice(2));
}

function setRip(row: EventRow, digits: string): boolean {
  const split = Math.max(0, digits.length - HALF_DIGITS);
  row.ripLow = Number(`0x${digits.slice(split)}`);
  row.ripHigh = split === 0 ? 0 : Number(`0x${digits.slice(0, split)}`);
  return !digits.startsWith("-");
}
