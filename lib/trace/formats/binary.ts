/**
 * The captures' own format: 32-byte little-endian records without a header.
 *
 * Native code decodes it; this file encodes it. Flags that describe what the
 * recorder knew (MMIO, ROM, refault) are not part of an event and are not
 * written; a replay finds them out again.
 */
import { type EventBatch, KIND } from "../../columns/event-batch.js";
import { EVENT_KINDS } from "../../columns/layout.js";
import { MmuError } from "../../errors.js";
import { pferrOf } from "../fault-code.js";
import { defineTraceFormat, type TraceEncoder } from "../trace-format.js";

const RECORD_BYTES = 32;
const NANOSECONDS = 1e9;
const WORD = 2 ** 32;

const KERNEL_RIP_FLAG = 4;
const MARKER_FLAG = 0x8000;
/** Marker numbers by event kind, of events that are about the whole VM. */
const MARKERS: readonly (number | undefined)[] = [undefined, undefined, 1, 2, undefined, undefined, 3];
/** The marker of every other event is its kind and this; it has a range and an access column. */
const FIRST_KIND_MARKER = 64;

const encoder = (): TraceEncoder => ({
  maxBytes: RECORD_BYTES,
  begin: (_out, at) => at,
  write: (batch, row, out, at) => {
    const kind = batch.kind[row] as number;
    const marker = markerOf(batch, row, kind);
    writeWord(out, at, Math.round((batch.time?.[row] ?? 0) * NANOSECONDS));
    writeWord(out, at + 8, batch.gpa[row] as number);
    if (marker >= FIRST_KIND_MARKER) writeWord(out, at + 16, batch.bytes[row] as number);
    else writeRip(batch, row, out, at + 16);
    out.writeUInt32LE(codeOf(batch, row, marker), at + 24);
    out.writeUInt16LE(batch.vcpu[row] as number, at + 28);
    out.writeUInt16LE(marker === 0 ? accessFlags(batch, row) : MARKER_FLAG + marker, at + 30);
    return at + RECORD_BYTES;
  },
});

export default defineTraceFormat({
  name: "binary",
  summary: "32-byte fault records, as the captures have them",
  native: true,
  hasOperations: true,
  encoder,
});

// A bigint per record would cost more than the rest of the record.
function writeWord(out: Buffer, at: number, value: number): void {
  out.writeUInt32LE(value % WORD, at);
  out.writeUInt32LE(Math.floor(value / WORD), at + 4);
}

function accessFlags(batch: EventBatch, row: number): number {
  return (batch.ripHigh?.[row] ?? 0) >= WORD / 2 ? KERNEL_RIP_FLAG : 0;
}

function writeRip(batch: EventBatch, row: number, out: Buffer, at: number): void {
  out.writeUInt32LE(batch.ripLow?.[row] ?? 0, at);
  out.writeUInt32LE(batch.ripHigh?.[row] ?? 0, at + 4);
}

function codeOf(batch: EventBatch, row: number, marker: number): number {
  if (marker === 0) return pferrOf(batch, row);
  return marker < FIRST_KIND_MARKER ? 0 : (batch.access[row] as number);
}

/** 0 for an access. */
function markerOf(batch: EventBatch, row: number, kind: number): number {
  if (kind === KIND.access) return 0;
  const marker = MARKERS[kind];
  const isWholeVm = batch.bytes[row] === 0 && batch.gpa[row] === 0 && batch.access[row] === 0;
  if (marker !== undefined && isWholeVm) return marker;
  if (kind < EVENT_KINDS.length) return FIRST_KIND_MARKER + kind;
  const message = `the binary format has a record for each known kind of event, up to ${EVENT_KINDS.length - 1}`;
  throw new MmuError("ERR_TRACE", message, { values: { row, kind } });
}
