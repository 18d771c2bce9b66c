/**
 * Format and compression by the name of a file that is to be written.
 *
 * Only for writing: what is read says itself what it is.
 */
import type { Compression } from "./compression.js";
import { traceFormats } from "./registry.js";

const COMPRESSION_SUFFIXES: Readonly<Record<string, Compression>> = { ".gz": "gzip", ".br": "brotli" };

/** What a file's name says; a part is absent where it says nothing. */
export interface NamedForm {
  readonly format?: string;
  readonly compression?: Compression;
}

/**
 * @example
 * await formatOfPath("guest.ndjson.gz") // { format: "ndjson", compression: "gzip" }
 */
export async function formatOfPath(path: string): Promise<NamedForm> {
  const [suffix] = /\.(gz|br)$/.exec(path) ?? [];
  const compression = suffix === undefined ? undefined : COMPRESSION_SUFFIXES[suffix];
  const name = suffix === undefined ? path : path.slice(0, -suffix.length);
  const found = (await traceFormats()).find(({ suffixes }) => suffixes?.some((each) => name.endsWith(each)));
  return { ...(found && { format: found.name }), ...(compression && { compression }) };
}
