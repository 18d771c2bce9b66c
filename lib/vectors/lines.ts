/** The lines of a file, plain or gzip, and the record that a line is. It knows no kind of vector. */
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { TraceError } from "../errors.js";
import { hasGzipMagic, inflated } from "../trace/compression.js";
import { Malformed } from "./malformed.js";
import type { VectorRecord } from "./vector-kind.js";

/** Characters; the longest vector that was recorded has a thousandth of it. */
const LONGEST_LINE = 2 ** 24;

export async function* linesOf(file: string): AsyncGenerator<string> {
  const compression = (await isGzip(file)) ? "gzip" : "none";
  const { size } = await stat(file);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of inflated(createReadStream(file), compression, file, size)) {
    rest += decoded(decoder, chunk, file);
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) throw new TraceError(`${file}: expected lines of at most 16 MiB`);
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** @throws Malformed */
export function recordOf(line: string): VectorRecord {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Malformed("a JSON object");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Malformed("a JSON object");
  }
  if ("id" in value && typeof value.id === "string") return value as VectorRecord;
  throw new Malformed('a string "id"');
}

function decoded(decoder: InstanceType<typeof TextDecoder>, chunk: Uint8Array, file: string): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch {
    throw new TraceError(`${file}: expected lines of JSON in UTF-8`);
  }
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer } = await handle.read(new Uint8Array(2), 0, 2, 0);
    return hasGzipMagic(buffer);
  } finally {
    await handle.close();
  }
}
