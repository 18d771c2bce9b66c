/**
 * Rows that a projection writes: runs of a trace's own, and the conversion
 * that comes between two of them.
 */
import { alignDown, PAGE_BYTES } from "../address.js";
import { type EventBatch, KIND } from "../columns/event-batch.js";

/** The kind of a conversion. A layout without the name has none, and keeps its number free. */
export const ATTRIBUTES = (KIND as Readonly<Record<string, number>>)["attributes"] ?? 8;

/** Bits of the `access` column of a conversion. */
export const CONVERSION = { private: 1, inserted: 2 } as const;

/** Below so many rows a view for each column costs more than it saves. */
const SHORT_RUN = 24;

/** Appends rows [from, to) of another batch, which fit; their gpas are there already. */
export function appendRun(into: EventBatch, source: EventBatch, from: number, to: number): void {
  const isShort = to - from < SHORT_RUN;
  if (isShort) for (let row = from; row < to; row++) copyRow(into, into.count + row - from, source, row);
  else copyColumns(into, into.count, source, from, to);
  into.count += to - from;
}

/** Appends the conversion of the page that an access goes to. The batch must have room. */
export function appendConversion(
  into: EventBatch,
  source: EventBatch,
  row: number,
  toPrivate: boolean,
): void {
  const at = into.count++;
  copyRow(into, at, source, row);
  into.gpa[at] = alignDown(source.gpa[row] as number, PAGE_BYTES);
  into.bytes[at] = PAGE_BYTES;
  into.errorCode[at] = 0;
  into.kind[at] = ATTRIBUTES;
  into.access[at] = CONVERSION.inserted + (toPrivate ? CONVERSION.private : 0);
}

function copyRow(into: EventBatch, at: number, source: EventBatch, row: number): void {
  into.bytes[at] = source.bytes[row] as number;
  into.errorCode[at] = source.errorCode[row] as number;
  into.vcpu[at] = source.vcpu[row] as number;
  into.kind[at] = source.kind[row] as number;
  into.access[at] = source.access[row] as number;
  if (into.time === undefined) return;
  into.time[at] = source.time?.[row] ?? 0;
  (into.ripLow as Uint32Array)[at] = source.ripLow?.[row] ?? 0;
  (into.ripHigh as Uint32Array)[at] = source.ripHigh?.[row] ?? 0;
}

function copyColumns(into: EventBatch, at: number, source: EventBatch, from: number, to: number): void {
  into.bytes.set(source.bytes.subarray(from, to), at);
  into.errorCode.set(source.errorCode.subarray(from, to), at);
  into.vcpu.set(source.vcpu.subarray(from, to), at);
  into.kind.set(source.kind.subarray(from, to), at);
  into.access.set(source.access.subarray(from, to), at);
  copyOrClear(into.time, at, source.time, from, to);
  copyOrClear(into.ripLow, at, source.ripLow, from, to);
  copyOrClear(into.ripHigh, at, source.ripHigh, from, to);
}

function copyOrClear<Column extends Float64Array | Uint32Array>(
  into: Column | undefined,
  at: number,
  source: Column | undefined,
  from: number,
  to: number,
): void {
  if (source === undefined) into?.fill(0, at, at + to - from);
  else into?.set(source.subarray(from, to), at);
}
