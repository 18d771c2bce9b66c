/**
 * Writes a trace from batches, streaming.
 *
 * Records fill a buffer that is handed on when it is full; backpressure keeps
 * memory constant. It must not know any format.
 */
import { createWriteStream } from "node:fs";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { EventBatch } from "../columns/event-batch.js";
import { expectKeys, expectOneOf } from "../expect.js";
import { COMPRESSIONS, type Compression, compressor } from "./compression.js";
import { traceFormats } from "./registry.js";
import type { BlockEncoder, TraceEncoder, TraceFormat } from "./trace-format.js";

export interface WriteTraceOptions {
  /** Name of a format that can be written: `binary`, `ftrace`, `ndjson`, `parquet`. */
  readonly format: string;
  /** @default "none" */
  readonly compression?: Compression;
}

/** What was written. */
export interface WrittenTrace {
  readonly records: number;
  /** Before compression. */
  readonly bytes: number;
}

const BUFFER_BYTES = 2 ** 18;

type Counts = { -readonly [Key in keyof WrittenTrace]: WrittenTrace[Key] };

/**
 * Writes every row of every batch to a file or a stream, which is ended.
 * Ask the source for `extra` columns, or times and rips are written as 0.
 *
 * @throws MmuError `ERR_TRACE` for an event that the format cannot record;
 * TypeError or RangeError with code `ERR_CONFIG` for a bad option
 * @example
 * await writeTrace(trace.batches({ extra: true }), "boot.txt.gz", { format: "ftrace", compression: "gzip" });
 */
export async function writeTrace(
  batches: AsyncIterable<EventBatch>,
  destination: string | Writable,
  options: WriteTraceOptions,
): Promise<WrittenTrace> {
  expectKeys("writeTrace", options, ["format", "compression"]);
  const compression = expectOneOf("compression", options.compression ?? "none", COMPRESSIONS);
  const format = await writableFormat(options.format);
  const file = destination instanceof Writable ? destination : createWriteStream(destination);
  const filter = compressor(compression);
  const written: Counts = { records: 0, bytes: 0 };
  const chunks = format.blockEncoder
    ? blocks(batches, await format.blockEncoder(), written)
    : encoded(batches, (format.encoder as () => TraceEncoder)(), written);
  await (filter === undefined ? pipeline(chunks, file) : pipeline(chunks, filter, file));
  return written;
}

async function writableFormat(name: string): Promise<TraceFormat> {
  const writable = (await traceFormats()).filter(({ encoder, blockEncoder }) => encoder ?? blockEncoder);
  const names = writable.map((format) => format.name);
  return writable[names.indexOf(expectOneOf("format", name, names))] as TraceFormat;
}

async function* blocks(
  batches: AsyncIterable<EventBatch>,
  encoder: BlockEncoder,
  written: Counts,
): AsyncGenerator<Uint8Array> {
  for await (const batch of batches) {
    for (const bytes of encoder.write(batch)) {
      written.bytes += bytes.length;
      yield bytes;
    }
    written.records += batch.count;
  }
  for (const bytes of encoder.finish()) {
    written.bytes += bytes.length;
    yield bytes;
  }
}

// Each buffer is new: the stream it was handed to may hold it for a while.
async function* encoded(
  batches: AsyncIterable<EventBatch>,
  encoder: TraceEncoder,
  written: Counts,
): AsyncGenerator<Buffer> {
  let out = Buffer.allocUnsafe(BUFFER_BYTES);
  let end = encoder.begin(out, 0);
  for await (const batch of batches) {
    for (let row = 0; row < batch.count; row++) {
      if (end + encoder.maxBytes > BUFFER_BYTES) {
        yield out.subarray(0, end);
        written.bytes += end;
        out = Buffer.allocUnsafe(BUFFER_BYTES);
        end = 0;
      }
      end = encoder.write(batch, row, out, end);
    }
    written.records += batch.count;
  }
  written.bytes += end;
  yield out.subarray(0, end);
}
