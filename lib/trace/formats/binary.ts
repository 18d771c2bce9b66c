/**
 * The captures' own format: 32-byte little-endian records without a header.
 *
 * Native code decodes it; this file encodes it. Flags that describe what the
 * recorder knew (MMIO, ROM, refault) are not part of an event and are not
 * written; a replay finds them out again.
 */

import { MAX_ADDRESS_BITS } from "../../address.js";
import { type EventBatch, KIND } from "../../columns/event-batch.js";
import { EVENT_KINDS } from "../../columns/layout.js";
import { MmuError } from "../../errors.js";
import { pferrOf } from "../fault-code.js";
import { type BlockEncoder, defineTraceFormat } from "../trace-format.js";

const RECORD_WORDS = 8;
/** A quarter of a mebibyte, as large as a read of the file. */
const BLOCK_ROWS = 8192;
const NANOSECONDS = 1e9;
const WORD = 2 ** 32;
/** Where a range may end. */
const ADDRESS_LIMIT = 2 ** MAX_ADDRESS_BITS;

const KERNEL_RIP_FLAG = 4;
const MARKER_FLAG = 0x8000;
/** Marker numbers by event kind, of events that are about the whole VM. */
const MARKERS: readonly (number | undefined)[] = [undefined, undefined, 1, 2, undefined, undefined, 3];
/** The marker of every other event is its kind and this; it has a range and an access column. */
const FIRST_KIND_MARKER = 64;

export default defineTraceFormat({
  name: "binary",
  summary: "32-byte fault records, as the captures have them",
  suffixes: [".bin"],
  native: true,
  hasOperations: true,
  blockEncoder: async () => encoder,
});

const encoder: BlockEncoder = {
  // Each block is new: the stream it is handed to may hold it for a while.
  *write(batch) {
    for (let start = 0; start < batch.count; start += BLOCK_ROWS) {
      const end = Math.min(start + BLOCK_ROWS, batch.count);
      const words = new Uint32Array((end - start) * RECORD_WORDS);
      for (let row = start; row < end; row++) writeRow(batch, row, words, (row - start) * RECORD_WORDS);
      yield new Uint8Array(words.buffer);
    }
  },
  finish: () => [],
};

// Words are written whole: x86 is little-endian, as the records are. `>>> 0`
// takes the low 32 bits of any integer up to 2^53.
function writeRow(batch: EventBatch, row: number, words: Uint32Array, at: number): void {
  const kind = batch.kind[row] as number;
  const gpa = batch.gpa[row] as number;
  const bytes = batch.bytes[row] as number;
  if (!(gpa >= 0 && bytes >= 0 && gpa + bytes <= ADDRESS_LIMIT))
    throw refused(row, kind, "a range within 2^52");
  const marker = kind === KIND.access ? 0 : markerOf(batch, row, kind);
  const nanoseconds = Math.round((batch.time?.[row] ?? 0) * NANOSECONDS);
  const hasRange = marker >= FIRST_KIND_MARKER;
  const ripHigh = batch.ripHigh?.[row] ?? 0;
  words[at] = nanoseconds >>> 0;
  words[at + 1] = (nanoseconds / WORD) >>> 0;
  words[at + 2] = gpa >>> 0;
  words[at + 3] = (gpa / WORD) >>> 0;
  words[at + 4] = hasRange ? bytes >>> 0 : (batch.ripLow?.[row] ?? 0);
  words[at + 5] = hasRange ? (bytes / WORD) >>> 0 : ripHigh;
  words[at + 6] = marker === 0 ? pferrOf(batch, row) : hasRange ? (batch.access[row] as number) : 0;
  const flags = marker === 0 ? (ripHigh >= WORD / 2 ? KERNEL_RIP_FLAG : 0) : MARKER_FLAG + marker;
  words[at + 7] = (batch.vcpu[row] as number) + flags * 0x1_0000;
}

function markerOf(batch: EventBatch, row: number, kind: number): number {
  const marker = MARKERS[kind];
  const isWholeVm = batch.bytes[row] === 0 && batch.gpa[row] === 0 && batch.access[row] === 0;
  if (marker !== undefined && isWholeVm) return marker;
  if (kind < EVENT_KINDS.length) return FIRST_KIND_MARKER + kind;
  throw refused(row, kind, `a known kind of event, up to ${EVENT_KINDS.length - 1}`);
}

function refused(row: number, kind: number, expected: string): MmuError {
  const message = `the binary format has no record for event ${row} of the batch: expected ${expected}`;
  return new MmuError("ERR_TRACE", message, { values: { row, kind } });
}
