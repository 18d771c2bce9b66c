/**
 * The text of a recording, as chunks: from a file, plain, compressed or a recorder's own, or from memory.
 *
 * A file can be read again, which finds the words of lines that something was found in.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { TraceError } from "../errors.js";
import { type Compression, HEAD_BYTES, hasGzipMagic, inflated, inflatedHead } from "../trace/compression.js";
import { printDump } from "../trace/dump/print-dump.js";
import { dumpKindOf } from "../trace/dump/registry.js";

export interface RecordedText {
  /** What to call it in a sentence. */
  readonly name: string;
  /** Bytes as stored; undefined if unknown. */
  readonly bytes: number;
  chunks(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

const CHUNK_BYTES = 2 ** 18;

/** Text that is in memory already. */
export function textInMemory(text: string, name = "text"): RecordedText {
  const bytes = Buffer.from(text);
  return {
    name,
    bytes: bytes.length,
    chunks: async function* () {
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
    },
  };
}

/**
 * @throws TraceError if the file is empty or no text; MmuError `ERR_UNSUPPORTED` without the program that prints a
 * recorder's own file; the system's error if it cannot be read
 */
export async function textOfFile(path: string): Promise<RecordedText> {
  const { head, bytes } = await headOf(path);
  if (bytes === 0) throw new TraceError(`${path}: the trace is empty`);
  const dump = await dumpKindOf(head);
  if (dump !== undefined)
    return { name: path, bytes, chunks: (signal) => printDump(dump, path, path, signal) };
  const compression = await compressionOf(head);
  if (compression === undefined) {
    throw new TraceError(
      `${path}: expected the text of tracepoints, as tracefs, trace-cmd report or perf script print it, plain, gzip or brotli`,
    );
  }
  return {
    name: path,
    bytes,
    chunks: async function* (signal) {
      const file = createReadStream(path, { highWaterMark: CHUNK_BYTES, ...(signal && { signal }) });
      yield* inflated(file, compression, path, bytes) as AsyncIterable<Uint8Array>;
    },
  };
}

async function headOf(path: string): Promise<{ head: Uint8Array; bytes: number }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return { head: buffer.subarray(0, bytesRead), bytes: Math.max(size, bytesRead) };
  } finally {
    await file.close();
  }
}

async function compressionOf(head: Uint8Array): Promise<Compression | undefined> {
  if (hasGzipMagic(head)) return isText(await inflatedHead(head, "gzip")) ? "gzip" : undefined;
  if (isText(head)) return "none";
  return isText(await inflatedHead(head, "brotli")) ? "brotli" : undefined;
}

/** Binary traces have zeros everywhere. */
const isText = (head: Uint8Array): boolean => head.length > 0 && !head.includes(0) && isMostlyPlain(head);

const PLAIN_SHARE = 0.9;

function isMostlyPlain(head: Uint8Array): boolean {
  let plain = 0;
  for (const byte of head)
    if ((byte >= 0x20 && byte < 0x7f) || byte === 9 || byte === 10 || byte === 13) plain++;
  return plain >= head.length * PLAIN_SHARE;
}

/** The words of some lines, by number; reads the text again, up to the last of them. */
export async function linesAt(
  text: RecordedText,
  wanted: ReadonlySet<number>,
  signal?: AbortSignal,
): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  const last = Math.max(0, ...wanted);
  let number = 1;
  let rest = "";
  for await (const chunk of text.chunks(signal)) {
    const lines = (rest + Buffer.from(chunk).toString("latin1")).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (wanted.has(number)) found.set(number, line.replace(/\r$/, ""));
      number++;
    }
    if (number > last) break;
  }
  if (rest !== "" && wanted.has(number)) found.set(number, rest);
  return found;
}
