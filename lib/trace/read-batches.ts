/**
 * Bytes to batches: one reader for mapped files, one for chunks through a
 * native decoder, one for formats that decode in TypeScript.
 *
 * All yield the same few batches in rotation, so a trace of any length takes
 * constant memory. It must not know files or compression.
 */
import { BatchRotation, type BatchShape } from "../columns/batch-rotation.js";
import type { EventBatch } from "../columns/event-batch.js";
import { fromDecoder, MmuError, TraceError } from "../errors.js";
import type {
  DecodeStep,
  MappedTrace,
  RangedFile,
  RangedTraceFormat,
  ScriptTraceFormat,
  TraceDecoder,
  TraceSink,
  TraceTotals,
} from "./trace-format.js";

/** Rows of the batch that a decoder fills when the caller's cannot be. */
const STAGING_ROWS = 4096;

export interface DecodeContext {
  readonly decoder: TraceDecoder;
  readonly format: string;
  /** What to call the trace in an error. */
  readonly source: string;
}

/** Reads a mapped file to its end. `at` is told how far it is, in bytes. */
export function readMapped(
  file: MappedTrace,
  context: DecodeContext,
  shape: BatchShape,
  at: (offset: number) => void,
): AsyncGenerator<EventBatch> {
  return decodable(shape, (rotation) => mappedBatches(file, context, rotation, at));
}

/** Reads chunks to their end through a native decoder. */
export function readChunks(
  chunks: AsyncIterable<Uint8Array>,
  context: DecodeContext,
  shape: BatchShape,
): AsyncGenerator<EventBatch> {
  return decodable(shape, (rotation) => chunkBatches(chunks, context, rotation));
}

/** Reads chunks to their end through a format that decodes in TypeScript. */
export function readScript(
  chunks: AsyncIterable<Uint8Array>,
  format: ScriptTraceFormat,
  sink: TraceSink,
  shape: BatchShape,
): AsyncGenerator<EventBatch> {
  return regrouped(scriptBatches(chunks, format, sink), shape);
}

/** Reads a file to its end through a format that reads ranges of it. `at` is told how far it is. */
export function readRanged(
  file: RangedFile,
  format: RangedTraceFormat,
  sink: TraceSink,
  shape: BatchShape,
  at: (offset: number) => void,
): AsyncGenerator<EventBatch> {
  return regrouped(rangedBatches(file, format, sink, at), shape);
}

async function* rangedBatches(
  file: RangedFile,
  format: RangedTraceFormat,
  sink: TraceSink,
  at: (offset: number) => void,
): AsyncGenerator<EventBatch> {
  let before = 0;
  for await (const offset of format.read(file, sink)) {
    at(offset);
    yield sink.rows;
    sink.advance(offset - before);
    before = offset;
  }
  sink.advance(file.bytes - before);
  at(file.bytes);
}

// A decoder needs its 8-byte extra columns right behind the rows, which an odd
// number of 28-byte rows cannot offer. Such batches are filled by copying.
function decodable(
  shape: BatchShape,
  read: (rotation: BatchRotation) => AsyncGenerator<EventBatch>,
): AsyncGenerator<EventBatch> {
  if (!shape.extra || shape.size % 2 === 0) return read(new BatchRotation(shape));
  return regrouped(read(new BatchRotation({ size: STAGING_ROWS, extra: true })), shape);
}

async function* mappedBatches(
  file: MappedTrace,
  context: DecodeContext,
  rotation: BatchRotation,
  at: (offset: number) => void,
): AsyncGenerator<EventBatch> {
  let offset = 0;
  while (offset < file.bytes) {
    const batch = rotation.next();
    while (!batch.isFull && offset < file.bytes) {
      const { buffer, count, capacity, extra } = batch;
      const step = decoded(context, () =>
        file.decode(context.decoder, offset, buffer, count, capacity, extra),
      );
      expectProgress(step, count);
      batch.count = step.count;
      offset += step.consumed;
    }
    at(offset);
    if (batch.count > 0) yield batch;
  }
}

async function* chunkBatches(
  chunks: AsyncIterable<Uint8Array>,
  context: DecodeContext,
  rotation: BatchRotation,
): AsyncGenerator<EventBatch> {
  let batch = rotation.next();
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = joined(rest, chunk);
    let offset = 0;
    for (;;) {
      offset += decodeInto(batch, bytes, offset, false, context).consumed;
      if (!batch.isFull) break;
      yield batch;
      batch = rotation.next();
    }
    rest = bytes.subarray(offset);
  }
  for (let offset = 0; offset < rest.length; ) {
    const before = batch.count;
    const step = decodeInto(batch, rest, offset, true, context);
    expectProgress(step, before);
    offset += step.consumed;
    if (!batch.isFull || offset === rest.length) continue;
    yield batch;
    batch = rotation.next();
  }
  if (batch.count > 0) yield batch;
}

function decodeInto(
  batch: EventBatch,
  bytes: Uint8Array,
  offset: number,
  last: boolean,
  context: DecodeContext,
): DecodeStep {
  const { buffer, count, capacity, extra } = batch;
  const step = decoded(context, () =>
    context.decoder.decode(bytes, offset, last, buffer, count, capacity, extra),
  );
  batch.count = step.count;
  return step;
}

async function* scriptBatches(
  chunks: AsyncIterable<Uint8Array>,
  format: ScriptTraceFormat,
  sink: TraceSink,
): AsyncGenerator<EventBatch> {
  const state = format.open();
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = joined(rest, chunk);
    const consumed = expectConsumed(format.decode(viewOf(bytes), sink, state), bytes, format, sink);
    if (sink.rows.count > 0) yield sink.rows;
    sink.advance(consumed);
    rest = bytes.subarray(consumed);
  }
  if (rest.length > 0 && format.end !== undefined) {
    const consumed = expectConsumed(format.end(viewOf(rest), sink, state), rest, format, sink);
    if (sink.rows.count > 0) yield sink.rows;
    sink.advance(consumed);
    rest = rest.subarray(consumed);
  }
  if (rest.length > 0) sink.fail(0, `a whole record, but the trace ends after ${rest.length} bytes of it`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function expectConsumed(
  consumed: number,
  { length }: Uint8Array,
  { name }: ScriptTraceFormat,
  sink: TraceSink,
): number {
  const isCount = Number.isInteger(consumed) && consumed >= 0 && consumed <= length;
  return isCount ? consumed : sink.fail(0, `format ${name} to consume 0 to ${length} bytes, not ${consumed}`);
}

async function* regrouped(
  batches: AsyncGenerator<EventBatch>,
  shape: BatchShape,
): AsyncGenerator<EventBatch> {
  const rotation = new BatchRotation(shape);
  for await (const whole of batches) {
    for (let start = 0; start < whole.count; start += shape.size) {
      const batch = rotation.next();
      batch.pushRows(whole, start, Math.min(start + shape.size, whole.count));
      yield batch;
    }
  }
}

function joined(rest: Uint8Array, chunk: Uint8Array): Uint8Array {
  return rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
}

function decoded(context: DecodeContext, decode: () => DecodeStep): DecodeStep {
  try {
    return decode();
  } catch (error) {
    throw fromDecoder(error, context.format, context.source);
  }
}

function expectProgress(step: DecodeStep, before: number): void {
  if (step.consumed > 0 || step.count > before) return;
  throw new MmuError("ERR_INTERNAL", "broken invariant: a decoder with bytes and room made no progress");
}

/** Refuses a trace that was read whole and held no event. */
export function expectEvents(totals: TraceTotals, format: string, source: string): void {
  if (totals.records > 0) return;
  const reasons = Object.entries(totals.skipped).map(([reason, count]) => `${count} ${reason}`);
  const instead = reasons.length === 0 ? "" : `; passed over: ${reasons.join(", ")}`;
  throw new TraceError(`${source}: the trace holds no events${instead}`, { format });
}
