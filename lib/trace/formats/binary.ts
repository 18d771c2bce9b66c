/**
 * The captures' own format: 32-byte little-endian records without a header.
 *
 * Native code decodes it; this file encodes it. Flags that describe what the
 * recorder knew (MMIO, ROM, refault) are not part of an event and are not
 * written; a replay finds them out again.
 */
import type { EventBatch } from "../../columns/event-batch.js";
import { MmuError } from "../../errors.js";
import { pferrOf } from "../fault-code.js";
import { defineTraceFormat, type TraceEncoder } from "../trace-format.js";

const RECORD_BYTES = 32;
const NANOSECONDS = 1e9;
const WORD = 2 ** 32;

const KERNEL_RIP_FLAG = 4;
const MARKER_FLAG = 0x8000;
/** Marker numbers by event kind; other kinds have no record. */
const MARKERS: readonly (number | undefined)[] = [undefined, undefined, 1, 2, undefined, undefined, 3];

const encoder = (): TraceEncoder => ({
  maxBytes: RECORD_BYTES,
  begin: (_out, at) => at,
  write: (batch, row, out, at) => {
    const isAccess = batch.kind[row] === 0;
    writeWord(out, at, Math.round((batch.time?.[row] ?? 0) * NANOSECONDS));
    writeWord(out, at + 8, batch.gpa[row] as number);
    out.writeUInt32LE(batch.ripLow?.[row] ?? 0, at + 16);
    out.writeUInt32LE(batch.ripHigh?.[row] ?? 0, at + 20);
    out.writeUInt32LE(isAccess ? pferrOf(batch, row) : 0, at + 24);
    out.writeUInt16LE(batch.vcpu[row] as number, at + 28);
    out.writeUInt16LE(isAccess ? accessFlags(batch, row) : MARKER_FLAG + markerOf(batch, row), at + 30);
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

function markerOf(batch: EventBatch, row: number): number {
  const marker = MARKERS[batch.kind[row] as number];
  const wholeVm = batch.bytes[row] === 0 && batch.gpa[row] === 0;
  if (marker !== undefined && wholeVm) return marker;
  const message =
    "the binary format records accesses, zap-all-fast, dirty-log-get on every slot and end only";
  throw new MmuError("ERR_TRACE", message, { values: { row, kind: batch.kind[row] as number } });
}
