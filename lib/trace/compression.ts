/**
 * Compression of trace files, recognised by content.
 *
 * gzip has a magic number. Brotli has none, so it is what decompresses to
 * something known. This file must not know trace formats.
 */
import type { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream";
import { constants, createBrotliCompress, createBrotliDecompress, createGunzip, createGzip } from "node:zlib";
import { TraceError } from "../errors.js";

export type Compression = "none" | "gzip" | "brotli";

export const COMPRESSIONS: readonly Compression[] = ["none", "gzip", "brotli"];

/** How much of a trace is looked at to recognise it. */
export const HEAD_BYTES = 65_536;

/** What both decompressors say of a stream that ends too early. */
const CUT = "Z_BUF_ERROR";
const CHUNK_BYTES = 2 ** 18;
// Captures use the largest standard window, 2^24; larger ones are an extension.
const BROTLI_READ = { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 1 };
const BROTLI_WRITE = {
  [constants.BROTLI_PARAM_QUALITY]: 5,
  [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
};

export function hasGzipMagic(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

/** A stream that compresses what is written to it; undefined for `none`. */
export function compressor(compression: Compression): Transform | undefined {
  if (compression === "gzip") return createGzip({ chunkSize: CHUNK_BYTES });
  if (compression === "brotli") return createBrotliCompress({ chunkSize: CHUNK_BYTES, params: BROTLI_WRITE });
  return undefined;
}

/** The first bytes that `head` decompresses to; empty if it does not. */
export function inflatedHead(head: Uint8Array, compression: "gzip" | "brotli"): Promise<Uint8Array> {
  const inflater = decompressor(compression);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    // A head that ends inside the stream is no error here, and neither is garbage.
    const finish = () => {
      inflater.destroy();
      resolve(Buffer.concat(chunks));
    };
    inflater.on("error", finish);
    inflater.on("data", (chunk: Uint8Array) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= HEAD_BYTES) finish();
    });
    inflater.write(head, finish);
  });
}

/** Whether these bytes are the front of a compressed stream that goes on behind them. */
export function isCutStream(bytes: Uint8Array, compression: "gzip" | "brotli"): Promise<boolean> {
  const inflater = decompressor(compression);
  return new Promise((resolve) => {
    inflater.on("error", (error) => resolve("code" in error && error.code === CUT));
    inflater.on("end", () => resolve(false));
    inflater.resume().end(bytes);
  });
}

/**
 * The decompressed bytes of a stream, chunk by chunk.
 *
 * @param storedBytes length of `stored` if it is known, to notice bytes
 * behind the end of the compressed stream
 * @throws TraceError with the offset in the stored bytes if they are damaged or cut
 */
export async function* inflated(
  stored: Readable,
  compression: Compression,
  source: string,
  storedBytes: number | undefined,
): AsyncGenerator<Uint8Array> {
  if (compression === "none") {
    yield* stored;
    return;
  }
  const inflater = decompressor(compression);
  // The error arrives at the loop below, which reads the last stream.
  pipeline(stored, inflater, () => {});
  try {
    yield* inflater;
  } catch (error) {
    throw isDamage(error) ? damaged(error, compression, source, inflater.bytesWritten) : error;
  }
  const rest = (storedBytes ?? inflater.bytesWritten) - inflater.bytesWritten;
  if (rest > 0) throw trailing(compression, source, inflater.bytesWritten, rest);
}

function decompressor(compression: "gzip" | "brotli") {
  if (compression === "gzip") return createGunzip({ chunkSize: CHUNK_BYTES });
  return createBrotliDecompress({ chunkSize: CHUNK_BYTES, params: BROTLI_READ });
}

interface ZlibError extends Error {
  readonly code: string;
}

// zlib's codes start with Z_, brotli's with ERR__ or ERR_BROTLI.
function isDamage(error: unknown): error is ZlibError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^(Z_|ERR_(_|BROTLI))/.test(code);
}

function damaged(cause: ZlibError, compression: string, source: string, offset: number): TraceError {
  const isCut = cause.code === CUT;
  const what = isCut ? `the ${compression} stream is cut` : `expected ${compression} data (${cause.message})`;
  return new TraceError(`${source}: byte ${offset}: ${what}`, { offset, values: { offset }, cause });
}

function trailing(compression: string, source: string, offset: number, rest: number): TraceError {
  const message = `${source}: byte ${offset}: ${rest} bytes follow the end of the ${compression} stream`;
  return new TraceError(message, { offset, values: { offset, rest } });
}
