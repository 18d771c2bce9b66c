/**
 * Reads a fault capture as plainly as possible: 32-byte records, little
 * endian, brotli around them. For tests that must not trust the decoders.
 */
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createBrotliDecompress } from "node:zlib";

const RECORD_BYTES = 32;

/** Captures that the repository carries, then those that may lie beside it. */
const FOLDERS = ["../../examples/", "../../../shared/traces/"];

export interface CaptureRecord {
  readonly kind: "access" | "zap-all-fast" | "dirty-log-get" | "end";
  readonly gpa: number;
  /** 1 read, 2 write, 4 fetch, combined. */
  readonly access: number;
  readonly vcpu: number;
  readonly isMmio: boolean;
}

export interface CaptureSlot {
  readonly slot: number;
  readonly gpa: string;
  readonly size: string;
  readonly readonly: boolean;
}

const MARKERS = { 1: "zap-all-fast", 2: "dirty-log-get", 3: "end" } as const;

/** The file's path, or undefined where this machine has no such capture. */
export function findCapture(file: string): URL | undefined {
  return FOLDERS.map((folder) => new URL(folder + file, import.meta.url)).find((url) => existsSync(url));
}

export function captureSlots(json: URL): CaptureSlot[] {
  return (JSON.parse(readFileSync(json, "utf8")) as { memslots: CaptureSlot[] }).memslots;
}

/** At most `limit` records from the front; the rest is not even decompressed. */
export async function* captureRecords(file: URL, limit = Infinity): AsyncGenerator<CaptureRecord> {
  let rest = Buffer.alloc(0);
  let count = 0;
  for await (const chunk of createReadStream(file).pipe(createBrotliDecompress())) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    let at = 0;
    for (; at + RECORD_BYTES <= bytes.length; at += RECORD_BYTES) {
      if (count++ >= limit) return;
      yield record(bytes.subarray(at, at + RECORD_BYTES));
    }
    rest = bytes.subarray(at);
  }
  if (rest.length > 0) throw new Error(`${rest.length} bytes after the last whole record`);
}

function record(bytes: Buffer): CaptureRecord {
  const flags = bytes.readUInt16LE(30);
  const error = bytes.readUInt32LE(24);
  const isMarker = (flags & 0x8000) !== 0;
  const [write, read, fetch] = [error & 2, error & 4, error & 16];
  return {
    kind: isMarker ? MARKERS[(flags & 0x7fff) as keyof typeof MARKERS] : "access",
    gpa: Number(bytes.readBigUInt64LE(8)),
    access: isMarker ? 0 : (read ? 1 : 0) + (write ? 2 : 0) + (fetch ? 4 : 0),
    vcpu: bytes.readUInt16LE(28),
    isMmio: (flags & 1) !== 0,
  };
}
