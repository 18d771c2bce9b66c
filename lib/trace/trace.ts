/**
 * An opened trace: what it is, and passes over its events.
 *
 * A file may be read any number of times; a stream once. It must not know how
 * the format was recognised.
 */
import { createReadStream } from "node:fs";
import { addAbortSignal, Readable } from "node:stream";
import type { BatchShape } from "../columns/batch-rotation.js";
import { DEFAULT_BATCH, type EventBatch, MAX_BATCH } from "../columns/event-batch.js";
import { attempt, fromNative, MmuError } from "../errors.js";
import { expectInteger, wrongType } from "../expect.js";
import { type Compression, inflated } from "./compression.js";
import type { DumpKind } from "./dump/dump-kind.js";
import { printDump } from "./dump/print-dump.js";
import { type FileHash, hashFile, hashing, type StreamHash } from "./file-hash.js";
import { openRanged, spool } from "./ranged-file.js";
import { expectEvents, readChunks, readMapped, readRanged, readScript } from "./read-batches.js";
import {
  NO_TOTALS,
  type RangedTraceFormat,
  type TraceBackend,
  type TraceFormat,
  TraceSink,
  type TraceTotals,
} from "./trace-format.js";
import type { TraceVendor } from "./vendors.js";

export interface BatchesOptions {
  /** Rows of a batch; the last one, and some before it, may have fewer. @default 65536 */
  readonly size?: number;
  /** Also fill `time`, `ripLow` and `ripHigh`. @default false */
  readonly extra?: boolean;
  /** Ends the pass with `ERR_ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /** Whether a trace without any event may end without an error. @default false */
  readonly mayBeEmpty?: boolean;
}

/** A recorded trace. */
export interface Trace {
  /** Name of the format: that of a file in `formats/`, or of a registered one. */
  readonly format: string;
  readonly compression: Compression;
  /** As it was given; undefined for a stream. */
  readonly path: string | undefined;
  /** What to call it in a sentence: the path, or `stdin`, or `stream`. */
  readonly source: string;
  /** Bytes of the file as stored; undefined for a stream. */
  readonly storedBytes: number | undefined;
  /** Bytes of the file as stored that were read in the latest pass. */
  readonly readBytes: number;
  /** Whether {@link batches} may be called again. */
  readonly rewindable: boolean;
  /** Whether the format can hold anything but accesses. */
  readonly hasOperations: boolean;
  /** What the latest pass has read so far. */
  readonly totals: TraceTotals;
  /**
   * One pass over the events. The same two batches are yielded in turn: what
   * one held is gone when the one after the next arrives.
   *
   * @throws TraceError with format, offset and record if the trace is damaged,
   * cut or holds no event; MmuError `ERR_BUSY` for a second pass over a stream,
   * `ERR_ABORTED` by the signal
   */
  batches(options?: BatchesOptions): AsyncIterableIterator<EventBatch>;
  /**
   * SHA-256 of the bytes as stored, in hex; undefined if it was switched off or,
   * for a stream, until it was read. A file is hashed by another thread.
   */
  sha256(): Promise<string | undefined>;
  /** Begins to hash a file, so that {@link sha256} need not wait long. */
  startHash(): void;
}

/** What was found out about a trace before it is read. */
export interface TraceFacts {
  readonly backend: TraceBackend;
  readonly format: TraceFormat;
  readonly compression: Compression;
  /** The recorder's own file, which its program has to print. */
  readonly dump?: DumpKind | undefined;
  readonly path: string | undefined;
  readonly source: string;
  readonly storedBytes: number | undefined;
  readonly hash: boolean;
  readonly vendor: TraceVendor;
  /** The bytes as stored, for a stream; a file is opened by each pass. */
  readonly stream: StoredStream | undefined;
}

/** A stream whose first bytes were read already. */
export interface StoredStream {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** What has to be destroyed so that a read that waits for it ends. */
  readonly origin: Readable;
}

export class OpenedTrace implements Trace {
  readonly #facts: TraceFacts;
  #totals: () => TraceTotals = () => NO_TOTALS;
  #readBytes: () => number = () => 0;
  #fileHash: FileHash | undefined;
  #streamHash: StreamHash | undefined;
  #passes = 0;

  constructor(facts: TraceFacts) {
    this.#facts = facts;
  }

  get format(): string {
    return this.#facts.format.name;
  }
  get compression(): Compression {
    return this.#facts.compression;
  }
  get path(): string | undefined {
    return this.#facts.path;
  }
  get source(): string {
    return this.#facts.source;
  }
  get storedBytes(): number | undefined {
    return this.#facts.storedBytes;
  }
  get readBytes(): number {
    return this.#readBytes();
  }
  get rewindable(): boolean {
    return this.#facts.stream === undefined;
  }
  get hasOperations(): boolean {
    return this.#facts.format.hasOperations;
  }
  get totals(): TraceTotals {
    return this.#totals();
  }

  batches(options: BatchesOptions = {}): AsyncIterableIterator<EventBatch> {
    const { size = DEFAULT_BATCH, extra = false, signal, mayBeEmpty = false } = options;
    const shape = { size: expectInteger("size", size, 1, MAX_BATCH), extra };
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw wrongType("signal", "an AbortSignal", signal);
    }
    if (this.#passes++ > 0 && !this.rewindable) {
      throw new MmuError("ERR_BUSY", `${this.source} can be read only once`);
    }
    return this.#pass(shape, signal, mayBeEmpty);
  }

  async sha256(): Promise<string | undefined> {
    if (!this.rewindable) return this.#streamHash?.digest();
    this.startHash();
    return this.#fileHash?.digest();
  }

  startHash(): void {
    const { hash, path } = this.#facts;
    if (hash && this.rewindable) this.#fileHash ??= hashFile(path as string);
  }

  async *#pass(
    shape: BatchShape,
    signal: AbortSignal | undefined,
    mayBeEmpty: boolean,
  ): AsyncIterableIterator<EventBatch> {
    try {
      for await (const batch of this.#read(shape, signal)) {
        if (signal?.aborted) throw signal.reason;
        yield batch;
      }
    } catch (error) {
      throw signal?.aborted ? aborted(signal) : fromNative(error);
    }
    if (!mayBeEmpty) expectEvents(this.totals, this.format, this.source);
  }

  #read(shape: BatchShape, signal: AbortSignal | undefined): AsyncGenerator<EventBatch> {
    const { backend, format, compression, vendor } = this.#facts;
    const { source } = this;
    if (format.ranged === true) return this.#ranged(format, shape, signal);
    if (format.native !== true) {
      const sink = new TraceSink(format.name, source);
      this.#totals = () => sink.totals();
      return readScript(this.#chunks(signal), format, sink, shape);
    }
    const decoder = attempt(() => new backend.Decoder(format.name, vendor));
    this.#totals = () => decoder.totals();
    const context = { decoder, format: format.name, source };
    if (this.#facts.dump === undefined && this.rewindable && compression === "none")
      return this.#mapped(context, shape);
    return readChunks(this.#chunks(signal), context, shape);
  }

  async *#mapped(context: Parameters<typeof readMapped>[1], shape: BatchShape): AsyncGenerator<EventBatch> {
    const { backend, path } = this.#facts;
    const file = attempt(() => new backend.MappedFile(path as string));
    let at = 0;
    this.#readBytes = () => at;
    try {
      yield* readMapped(file, context, shape, (offset) => {
        at = offset;
      });
    } finally {
      file.close();
    }
  }

  async *#ranged(
    format: RangedTraceFormat,
    shape: BatchShape,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<EventBatch> {
    const { compression, path } = this.#facts;
    const sink = new TraceSink(format.name, this.source);
    this.#totals = () => sink.totals();
    const isPlainFile = path !== undefined && this.rewindable && compression === "none";
    const file = await (isPlainFile ? openRanged(path) : spool(this.#inflated(signal)));
    // What was kept has been read already, as far as the caller's file is concerned.
    let at = 0;
    if (isPlainFile) this.#readBytes = () => at;
    try {
      yield* readRanged(file, format, sink, shape, (offset) => {
        at = offset;
      });
    } finally {
      await file.close();
    }
  }

  #chunks(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const { dump } = this.#facts;
    return dump === undefined ? this.#inflated(signal) : this.#printed(dump, signal);
  }

  /** What the recorder's program prints. It wants a file, so what is none becomes one. */
  async *#printed(dump: DumpKind, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const { compression, path, source } = this.#facts;
    if (path !== undefined && this.rewindable && compression === "none") {
      yield* printDump(dump, path, source, signal);
      return;
    }
    const file = await spool(this.#inflated(signal));
    try {
      yield* printDump(dump, file.path, source, signal);
    } finally {
      await file.close();
    }
  }

  async *#inflated(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const { compression, source, storedBytes, stream } = this.#facts;
    const stored = this.#stored();
    const origin = stream?.origin ?? stored;
    if (signal !== undefined) addAbortSignal(signal, origin);
    try {
      yield* inflated(stored, compression, source, storedBytes);
    } finally {
      origin.destroy();
    }
  }

  #stored(): Readable {
    const { stream, path, hash } = this.#facts;
    if (stream === undefined) {
      const file = createReadStream(path as string, { highWaterMark: 2 ** 18 });
      this.#readBytes = () => file.bytesRead;
      return file;
    }
    const counted = hashing(stream.chunks, hash);
    this.#streamHash = counted;
    this.#readBytes = () => counted.bytes;
    return Readable.from(counted.chunks, { objectMode: false });
  }
}

function aborted(signal: AbortSignal): MmuError {
  return new MmuError("ERR_ABORTED", "reading the trace was aborted", { cause: signal.reason });
}
