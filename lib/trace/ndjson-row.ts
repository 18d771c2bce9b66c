/**
 * One line of NDJSON to one event.
 *
 * Keys that are absent are 0; a key that is none of an event's is refused, as
 * a misspelt `errorcode` would be lost in silence. It must not know where
 * lines come from.
 */
import type { EventRow } from "./row-check.js";
import { clearRow, ROW_COLUMN_NAMES, ROW_COLUMNS } from "./row-values.js";

/** Whether this is an object of ours: it says what kind of event it is, or its address. */
export function isEventObject(line: string): boolean {
  const object = objectIn(line);
  return object !== undefined && (Object.hasOwn(object, "kind") || Object.hasOwn(object, "gpa"));
}

/** Reads a line into `row`; returns what was expected instead, undefined if all is well. */
export function rowOfJson(line: string, row: EventRow): string | undefined {
  const object = objectIn(line);
  if (object === undefined) return "a JSON object";
  for (const key in object)
    if (!Object.hasOwn(ROW_COLUMNS, key)) return `one of the keys ${ROW_COLUMN_NAMES.join(", ")}`;
  clearRow(row);
  for (const name of ROW_COLUMN_NAMES) {
    const value = object[name];
    if (value === undefined) continue;
    const column = ROW_COLUMNS[name];
    if (column?.read(row, value) === false) return column.expected;
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
