/**
 * Opens a trace: finds out, from its first bytes, how it is compressed and in
 * which format it is.
 *
 * Names and suffixes are not consulted: a renamed file reads the same. It
 * must not know decoders; the backend is handed in.
 */
import { open, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { TraceError } from "../errors.js";
import { expectKeys, expectOneOf, wrongType } from "../expect.js";
import {
  COMPRESSIONS,
  type Compression,
  HEAD_BYTES,
  hasGzipMagic,
  inflatedHead,
  isCutStream,
} from "./compression.js";
import type { DumpKind } from "./dump/dump-kind.js";
import { dumpKindOf } from "./dump/registry.js";
import { traceFormats } from "./registry.js";
import { OpenedTrace, type StoredStream, type Trace, type TraceFacts } from "./trace.js";
import type { TraceBackend, TraceFormat } from "./trace-format.js";
import { TRACE_VENDORS, type TraceVendor } from "./vendors.js";

export interface OpenTraceOptions {
  /** Name of the format, for a trace that no format recognises. @default by content */
  readonly format?: string;
  /** @default by content */
  readonly compression?: Compression;
  /** Whose error codes text has, where they should not be told apart by themselves. @default "auto" */
  readonly vendor?: TraceVendor;
  /** Whether `sha256()` is offered. @default true */
  readonly hash?: boolean;
}

/** A path, a `file:` URL, `"-"` for stdin, or a stream of bytes. */
export type TraceSource = string | URL | Readable;

interface Stored {
  readonly head: Uint8Array;
  readonly path: string | undefined;
  readonly source: string;
  readonly storedBytes: number | undefined;
  readonly stream: StoredStream | undefined;
}

interface Recognised {
  readonly format: TraceFormat;
  readonly compression: Compression;
  /** How the bytes become those of the format, if a program has to print them. */
  readonly dump?: DumpKind | undefined;
}

/**
 * Opens a trace with these decoders. `openTrace` of the library is this with
 * the native ones.
 *
 * @throws TraceError if the source is empty or no format recognises it;
 * TypeError or RangeError with code `ERR_CONFIG` for a bad option; the
 * system's error (`ENOENT`, ...) if the file cannot be read
 */
export async function openTraceWith(
  backend: TraceBackend,
  source: TraceSource,
  options: OpenTraceOptions = {},
): Promise<Trace> {
  expectKeys("openTrace", options, ["format", "compression", "vendor", "hash"]);
  const formats = await candidates(options);
  if (options.compression !== undefined) expectOneOf("compression", options.compression, COMPRESSIONS);
  const vendor = expectOneOf("vendor", options.vendor ?? "auto", TRACE_VENDORS);
  const recognise = (head: Uint8Array) => recognised(head, formats, options, backend);
  const { head, ...stored } = await firstBytes(
    source,
    async (bytes) => (await recognise(bytes)) !== undefined,
  );
  if (head.length === 0) throw new TraceError(`${stored.source}: the trace is empty`);
  const found = (await recognise(head)) ?? forced(head, formats, options);
  if (found === undefined) throw await unrecognised(head, stored.source, formats, options);
  const facts: TraceFacts = { backend, ...found, ...stored, vendor, hash: options.hash ?? true };
  return new OpenedTrace(facts);
}

async function candidates({ format }: OpenTraceOptions): Promise<readonly TraceFormat[]> {
  const all = await traceFormats();
  if (format === undefined) return all;
  const names = all.map(({ name }) => name);
  return [all[names.indexOf(expectOneOf("format", format, names))] as TraceFormat];
}

async function firstBytes(
  source: TraceSource,
  enough: (head: Uint8Array) => Promise<boolean>,
): Promise<Stored> {
  if (source === "-") return streamHead(process.stdin, "stdin", enough);
  if (source instanceof Readable) return streamHead(source, "stream", enough);
  const path = pathOf(source);
  const file = await stat(path);
  if (file.isDirectory()) throw isDirectory(path);
  const handle = await open(path);
  // A pipe has no second first byte, so it is read as a stream.
  if (!file.isFile()) return streamHead(handle.createReadStream(), path, enough);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    return { head, path, source: path, storedBytes: file.size, stream: undefined };
  } finally {
    await handle.close();
  }
}

// Reads no further than needed: a live pipe may not send more for hours.
async function streamHead(
  stream: Readable,
  source: string,
  enough: (head: Uint8Array) => Promise<boolean>,
): Promise<Stored> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let head: Uint8Array = new Uint8Array(0);
  while (head.length < HEAD_BYTES) {
    const { value, done } = await chunks.next();
    if (done) break;
    head = Buffer.concat([head, expectBytes(value, stream)]);
    if (await enough(head)) break;
  }
  const rest = { chunks: continued(head, chunks, stream), origin: stream };
  return { head, path: undefined, source, storedBytes: undefined, stream: rest };
}

function expectBytes(chunk: unknown, stream: Readable): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  stream.destroy();
  throw wrongType("source", "a stream of bytes (Buffer or Uint8Array)", chunk);
}

async function* continued(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  stream: Readable,
): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      yield expectBytes(next.value, stream);
    }
  } finally {
    await rest.return?.();
  }
}

async function recognised(
  head: Uint8Array,
  formats: readonly TraceFormat[],
  { compression }: OpenTraceOptions,
  backend: TraceBackend,
): Promise<Recognised | undefined> {
  for (const candidate of compression === undefined ? guesses(head) : [compression]) {
    const inner = candidate === "none" ? head : await inflatedHead(head, candidate);
    const dump = await dumpKindOf(inner);
    const printed = dump && formats.find(({ name }) => name === dump.format);
    if (printed !== undefined) return { format: printed, compression: candidate, dump };
    const format = inner.length === 0 ? undefined : formatOf(inner, formats, backend);
    if (format !== undefined) return { format, compression: candidate };
  }
  return undefined;
}

function guesses(head: Uint8Array): readonly Compression[] {
  return hasGzipMagic(head) ? ["gzip"] : ["none", "brotli"];
}

function formatOf(
  head: Uint8Array,
  formats: readonly TraceFormat[],
  backend: TraceBackend,
): TraceFormat | undefined {
  const native = backend.detectFormat(head);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  return formats.find((format) => (format.native === true ? format.name === native : format.detect(view)));
}

// Who names the format knows better than its detection.
function forced(
  head: Uint8Array,
  formats: readonly TraceFormat[],
  options: OpenTraceOptions,
): Recognised | undefined {
  const [format] = formats;
  if (options.format === undefined || format === undefined) return undefined;
  return { format, compression: options.compression ?? (hasGzipMagic(head) ? "gzip" : "none") };
}

function pathOf(source: unknown): string {
  if (source instanceof URL) {
    if (source.protocol === "file:") return fileURLToPath(source);
    throw wrongType("source", "a file: URL", source.href);
  }
  if (typeof source === "string" && source !== "") return source;
  throw wrongType("source", `a path, a file: URL, "-" for stdin, or a readable stream`, source);
}

function isDirectory(path: string): Error {
  const error = new Error(`EISDIR: illegal operation on a directory, open '${path}'`);
  return Object.assign(error, { code: "EISDIR", syscall: "open", path });
}

async function unrecognised(
  head: Uint8Array,
  source: string,
  formats: readonly TraceFormat[],
  options: OpenTraceOptions,
): Promise<TraceError> {
  const names = formats.map(({ name }) => name).join(", ");
  const cut = await cutCompression(head, options);
  if (cut === undefined) {
    return new TraceError(
      `${source}: expected a trace in one of the formats ${names}, uncompressed or as gzip or brotli`,
    );
  }
  const offset = head.length;
  // Brotli has no magic number, so this may also be something else that is short.
  const message = `the ${cut} stream is cut, or this is no trace: expected one of the formats ${names}`;
  return new TraceError(`${source}: byte ${offset}: ${message}`, { offset, values: { offset } });
}

// Only of a trace that is no longer than its head is the end known here.
async function cutCompression(
  head: Uint8Array,
  { compression }: OpenTraceOptions,
): Promise<Compression | undefined> {
  if (head.length >= HEAD_BYTES) return undefined;
  for (const candidate of compression === undefined ? guesses(head) : [compression]) {
    if (candidate !== "none" && (await isCutStream(head, candidate))) return candidate;
  }
  return undefined;
}
