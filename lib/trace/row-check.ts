/**
 * What the columns of one event may hold, for formats that could say more.
 *
 * A file may claim anything; a batch must hold what its columns are for. The
 * same rule is asked when a row is written, so that what is written can be
 * read. It must not know formats.
 */
import { MAX_ADDRESS_BITS } from "../address.js";
import { type EventBatch, KIND } from "../columns/event-batch.js";
import { EVENT_KINDS } from "../columns/layout.js";
import { MmuError } from "../errors.js";

/** One event as numbers; rip is in two halves, as in a batch. */
export interface EventRow {
  time: number;
  kind: number;
  vcpu: number;
  gpa: number;
  bytes: number;
  errorCode: number;
  access: number;
  ripLow: number;
  ripHigh: number;
}

export function emptyRow(): EventRow {
  return { time: 0, kind: 0, vcpu: 0, gpa: 0, bytes: 0, errorCode: 0, access: 0, ripLow: 0, ripHigh: 0 };
}

/** Copies one row of a batch into `row`, which is returned. */
export function rowOfBatch(batch: EventBatch, index: number, row: EventRow): EventRow {
  row.time = batch.time?.[index] ?? 0;
  row.kind = batch.kind[index] as number;
  row.vcpu = batch.vcpu[index] as number;
  row.gpa = batch.gpa[index] as number;
  row.bytes = batch.bytes[index] as number;
  row.errorCode = batch.errorCode[index] as number;
  row.access = batch.access[index] as number;
  row.ripLow = batch.ripLow?.[index] ?? 0;
  row.ripHigh = batch.ripHigh?.[index] ?? 0;
  return row;
}

/** Why a format cannot write a row so that it is read back as it is; undefined if it can. */
export function writableFault(row: EventRow, index: number, format: string): MmuError | undefined {
  const fault = row.kind < EVENT_KINDS.length ? rowFault(row) : "a known kind of event";
  if (fault === undefined) return undefined;
  const message = `the ${format} format cannot say event ${index} of the batch: expected ${fault}`;
  return new MmuError("ERR_TRACE", message, { values: { row: index, kind: row.kind } });
}

const ACCESS_MASK = 7;
const MAX_VCPU = 65_535;
const ADDRESS_LIMIT = 2 ** MAX_ADDRESS_BITS;

/** What the row should have been, as the rest of "expected ..."; undefined if it is fine. */
export function rowFault(row: EventRow): string | undefined {
  if (!Number.isFinite(row.time)) return "a time in seconds";
  if (!isCount(row.vcpu) || row.vcpu > MAX_VCPU) return "a vcpu from 0 to 65535";
  if (!isCount(row.bytes)) return "bytes from 0 to 2^53 - 1";
  if (!isCount(row.errorCode)) return "an errorCode from 0 to 2^53 - 1";
  return row.kind === KIND.access ? accessFault(row) : rangeFault(row);
}

function accessFault({ gpa, access }: EventRow): string | undefined {
  if (!isCount(gpa) || gpa >= ADDRESS_LIMIT) return "a gpa below 2^52";
  return access > 0 && access <= ACCESS_MASK ? undefined : "an access that reads, writes or fetches";
}

// The range of hva-* is of host addresses, which have a bit more.
function rangeFault({ gpa, bytes }: EventRow): string | undefined {
  return isCount(gpa) && isCount(gpa + bytes) ? undefined : "a range that ends at or below 2^53 - 1";
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
