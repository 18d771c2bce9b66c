/**
 * Holds the pages of one column to what its row group promised, before the
 * Parquet library decodes them.
 *
 * The library allocates by the counts in page headers and lets a run of an
 * encoded column grow without end. So sizes, counts and runs are added up
 * here, without keeping a value.
 */
import { CompactReader, type Fields, Malformed } from "./compact-reader.js";

/** What a column chunk may come to. */
export interface ChunkLimits {
  /** Rows of the group. */
  readonly rows: number;
  /** Whether a value may be absent, so that levels stand in front of the values. */
  readonly optional: boolean;
  readonly codec: string;
  /** Decompresses to `size` bytes, or throws. */
  readonly inflate: (bytes: Uint8Array, size: number, codec: string) => Uint8Array;
}

/** Bytes that the pages of one column of one row group may come to. */
export const MAX_CHUNK_BYTES = 2 ** 28;

const [DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2] = [0, 1, 2, 3];
const PLAIN_DICTIONARY = 2;
const RLE_DICTIONARY = 8;
/** Plain, the dictionaries, RLE, DELTA_BINARY_PACKED, BYTE_STREAM_SPLIT: none takes its size from the values. */
const ENCODINGS = [0, PLAIN_DICTIONARY, 3, 5, RLE_DICTIONARY, 9];
const LENGTH_BYTES = 4;

interface Page {
  readonly body: Uint8Array;
  readonly bytes: number;
  readonly header: Fields;
}

/** @throws Malformed if the library could not decode the chunk in bounded memory */
export function checkPages(chunk: Uint8Array, limits: ChunkLimits): void {
  const reader = new CompactReader(chunk);
  let rows = 0;
  let bytes = 0;
  while (rows < limits.rows) {
    const page = nextPage(reader, chunk);
    bytes += page.bytes;
    if (bytes > MAX_CHUNK_BYTES) throw new Malformed(`pages of at most ${MAX_CHUNK_BYTES} bytes in a column`);
    rows += checkPage(page, limits, limits.rows - rows);
  }
}

function nextPage(reader: CompactReader, chunk: Uint8Array): Page {
  const header = reader.struct();
  const bytes = count(header, 2);
  const stored = count(header, 3);
  const start = reader.at;
  reader.skip(stored);
  return { body: chunk.subarray(start, start + stored), bytes, header };
}

/** How many rows the page has. */
function checkPage({ body, bytes, header }: Page, limits: ChunkLimits, rowsLeft: number): number {
  const type = count(header, 1);
  if (type === INDEX_PAGE) return 0;
  if (type === DICTIONARY_PAGE) {
    expectAtMost(count(part(header, 7), 1), limits.rows, "values of a dictionary");
    return 0;
  }
  if (type !== DATA_PAGE && type !== DATA_PAGE_V2) throw new Malformed("a known type of page");
  const isV2 = type === DATA_PAGE_V2;
  const data = part(header, isV2 ? 8 : 5);
  const values = expectAtMost(count(data, 1), rowsLeft, "rows of a page");
  if (values === 0) throw new Malformed("rows in a page");
  const encoding = count(data, isV2 ? 4 : 2);
  if (!ENCODINGS.includes(encoding)) throw new Malformed("a plain, dictionary, delta or split encoding");
  const nulls = isV2 ? expectAtMost(count(data, 2), values, "absent values") : 0;
  const encoded = isV2 ? bodyV2(body, bytes, data, limits, values) : bodyV1(body, bytes, limits, values);
  if (encoding === PLAIN_DICTIONARY || encoding === RLE_DICTIONARY) checkIndexes(encoded, values - nulls);
  return values;
}

/** What stands behind the levels, which are compressed too. */
function bodyV1(body: Uint8Array, bytes: number, limits: ChunkLimits, values: number): Uint8Array {
  const page = limits.inflate(body, bytes, limits.codec);
  if (!limits.optional) return page;
  const reader = new CompactReader(page);
  reader.skip(LENGTH_BYTES);
  const length = new DataView(page.buffer, page.byteOffset, LENGTH_BYTES).getUint32(0, true);
  reader.skip(length);
  checkRuns(page.subarray(LENGTH_BYTES, reader.at), 1, values);
  return page.subarray(reader.at);
}

/** What stands behind the levels, which are not compressed. */
function bodyV2(
  body: Uint8Array,
  bytes: number,
  data: Fields,
  limits: ChunkLimits,
  values: number,
): Uint8Array {
  const definition = count(data, 5);
  const levels = definition + count(data, 6);
  if (levels > body.length || levels > bytes) throw new Malformed("levels within their page");
  if (limits.optional && definition > 0) checkRuns(body.subarray(0, definition), 1, values);
  return limits.inflate(body.subarray(levels), bytes - levels, limits.codec);
}

function checkIndexes(encoded: Uint8Array, values: number): void {
  const width = encoded[0] ?? 0;
  if (width > 32) throw new Malformed("dictionary indexes of at most 32 bits");
  if (width > 0 && values > 0) checkRuns(encoded.subarray(1), width, values);
}

/** Runs of Parquet's RLE and bit-packed hybrid: they end where the values do, but for a packed run's padding. */
function checkRuns(encoded: Uint8Array, width: number, values: number): void {
  const reader = new CompactReader(encoded);
  for (let seen = 0; seen < values && reader.left > 0; ) {
    const head = reader.varint();
    const isPacked = head % 2 === 1;
    const run = Math.floor(head / 2) * (isPacked ? 8 : 1);
    if (run === 0) continue;
    if (!isPacked) expectAtMost(run, values - seen, "values of a run");
    else expectAtMost(run, MAX_CHUNK_BYTES, "values of a run");
    reader.skip(Math.min(reader.left, isPacked ? (run * width) / 8 : Math.ceil(width / 8)));
    seen += run;
  }
}

function count(fields: Fields, field: number): number {
  const value = fields.get(field) ?? 0;
  if (typeof value !== "number" || value < 0) throw new Malformed("counts that are not negative");
  return value;
}

function part(fields: Fields, field: number): Fields {
  const value = fields.get(field);
  if (value === undefined || typeof value === "number")
    throw new Malformed("a page header that fits its type");
  return value;
}

function expectAtMost(value: number, most: number, what: string): number {
  if (value > most) throw new Malformed(`at most ${most} ${what}, not ${value}`);
  return value;
}
