/** The front of a brotli capture of 32-byte records, decompressed, for stdin. */
import { createReadStream } from "node:fs";
import { createBrotliDecompress } from "node:zlib";

const RECORD_BYTES = 32;

export async function firstRecords(file: URL, count: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let missing = count * RECORD_BYTES;
  for await (const chunk of createReadStream(file).pipe(createBrotliDecompress())) {
    parts.push((chunk as Buffer).subarray(0, missing));
    missing -= (parts.at(-1) as Buffer).length;
    if (missing === 0) break;
  }
  return Buffer.concat(parts);
}
