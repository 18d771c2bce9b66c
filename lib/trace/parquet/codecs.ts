/**
 * Decompression of Parquet pages to a size that is known beforehand, so that
 * no page grows beyond what was checked.
 */
import * as zlib from "node:zlib";
import { Malformed } from "./compact-reader.js";

type Inflate = (bytes: Uint8Array, size: number) => Uint8Array;

// Node has zstd from 22.15 on.
const { zstdDecompressSync } = zlib as {
  zstdDecompressSync?: (bytes: Uint8Array, options: object) => Buffer;
};

/** By the codec's name in Parquet; SNAPPY is the caller's. */
export function codecs(snappy: (input: Uint8Array, output: Uint8Array) => void): Record<string, Inflate> {
  return {
    UNCOMPRESSED: (bytes) => bytes,
    SNAPPY: (bytes, size) => {
      const page = new Uint8Array(size);
      snappy(bytes, page);
      return page;
    },
    GZIP: (bytes, size) => zlib.gunzipSync(bytes, limit(size)),
    BROTLI: (bytes, size) => zlib.brotliDecompressSync(bytes, limit(size)),
    ...(zstdDecompressSync && {
      ZSTD: (bytes: Uint8Array, size: number) => zstdDecompressSync(bytes, limit(size)),
    }),
  };
}

/** @throws Malformed for a codec that is not known here, or a page of another size */
export function inflateWith(known: Record<string, Inflate>, maxBytes: number) {
  return (bytes: Uint8Array, size: number, codec: string): Uint8Array => {
    const inflate = known[codec];
    if (inflate === undefined) throw new Malformed(`a page compressed as ${Object.keys(known).join(", ")}`);
    if (size > maxBytes) throw new Malformed(`a page of at most ${maxBytes} bytes`);
    if (bytes.length === 0 && size === 0) return bytes;
    const page = inflate(bytes, size);
    if (page.length !== size) throw new Malformed(`a page of ${size} bytes, not ${page.length}`);
    return page;
  };
}

function limit(size: number): { maxOutputLength: number } {
  return { maxOutputLength: Math.max(size, 1) };
}
