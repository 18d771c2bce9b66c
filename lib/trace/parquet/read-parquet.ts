/**
 * A Parquet file to events, one row group after the other.
 *
 * Files of others are welcome: columns are found by name, may be absent or
 * have absent values, which are 0, and their numbers may be of any type. What
 * the file claims is held against its bytes before the library sees it.
 */
import type { FileMetaData, RowGroup, SchemaElement } from "hyparquet";
import { type EventRow, emptyRow, rowFault } from "../row-check.js";
import { clearRow, ROW_COLUMN_NAMES, ROW_COLUMNS } from "../row-values.js";
import type { RangedFile, TraceSink } from "../trace-format.js";
import { type ChunkLimits, checkPages, MAX_CHUNK_BYTES } from "./check-pages.js";
import { codecs, inflateWith } from "./codecs.js";
import { CompactReader, Malformed } from "./compact-reader.js";
import { MAGIC } from "./layout.js";

type Library = typeof import("hyparquet");
type Values = ArrayLike<unknown>;
type Columns = Readonly<Record<string, Values>>;

/** The footer's length and the magic number behind it. */
const TAIL_BYTES = 8;
/** A footer takes a kilobyte a row group, so this is for 500 million events of our own. */
const MAX_FOOTER_BYTES = 2 ** 23;
/** Rows of a group in memory at once; what others write has at most a million. */
const MAX_GROUP_ROWS = 2 ** 22;
const YIELD_ROWS = 65_536;

/** Fills the sink; yields how far into the file it is each time rows can be taken. */
export async function* readParquet(file: RangedFile, sink: TraceSink): AsyncGenerator<number> {
  const library = await import("hyparquet");
  const metadata = await readFooter(library, file, sink);
  const elements = columnsOf(metadata, sink);
  let at = MAGIC.length;
  for (const group of metadata.row_groups) {
    const columns = await readGroup(library, file, { metadata, group, elements }, sink);
    at = Math.max(at, ...group.columns.map((chunk) => rangeOf(chunk)?.end ?? 0));
    yield* addRows(columns, Number(group.num_rows), sink, at);
  }
}

async function readFooter(library: Library, file: RangedFile, sink: TraceSink): Promise<FileMetaData> {
  const end = file.bytes;
  const tail = Buffer.from(await file.read(Math.max(0, end - TAIL_BYTES), TAIL_BYTES));
  const hasMagic = tail.length === TAIL_BYTES && tail.toString("latin1", 4) === MAGIC;
  if (!hasMagic)
    sink.refuse(Math.max(0, end - 4), `a Parquet file to end with ${MAGIC}: it is cut or damaged`);
  const length = tail.readUInt32LE(0);
  const most = Math.min(MAX_FOOTER_BYTES, end - TAIL_BYTES - MAGIC.length);
  if (length > most) sink.refuse(end - TAIL_BYTES, `a footer of at most ${most} bytes, not ${length}`);
  const start = end - TAIL_BYTES - length;
  const footer = Buffer.concat([await file.read(start, length), tail]);
  return guarded(sink, start, () => {
    new CompactReader(footer.subarray(0, length)).struct();
    return library.parquetMetadata(new Uint8Array(footer), { geoparquet: false });
  });
}

/** The columns that are an event's, by name. What else there is counts as passed over. */
function columnsOf({ schema }: FileMetaData, sink: TraceSink): ReadonlyMap<string, SchemaElement> {
  const found = new Map<string, SchemaElement>();
  for (const element of schema.slice(1)) {
    const isLeaf = !element.num_children && element.repetition_type !== "REPEATED";
    if (ROW_COLUMN_NAMES.includes(element.name) && isLeaf) found.set(element.name, element);
    else sink.skip(`column ${element.name}`);
  }
  const isFlat = schema[0]?.num_children === schema.length - 1;
  if (!isFlat) sink.refuse(0, "columns without columns inside");
  if (!found.has("gpa") && !found.has("kind")) sink.refuse(0, "a column gpa or kind");
  return found;
}

interface Group {
  readonly metadata: FileMetaData;
  readonly group: RowGroup;
  readonly elements: ReadonlyMap<string, SchemaElement>;
}

async function readGroup(
  library: Library,
  file: RangedFile,
  { metadata, group, elements }: Group,
  sink: TraceSink,
): Promise<Columns> {
  const rows = Number(group.num_rows);
  const isBounded = Number.isInteger(rows) && rows >= 0 && rows <= MAX_GROUP_ROWS;
  if (!isBounded) sink.refuse(0, `row groups of at most ${MAX_GROUP_ROWS} rows: write it with smaller ones`);
  const columns: Record<string, Values> = {};
  for (const [name, element] of elements) {
    const chunk = group.columns.find((each) => each.meta_data?.path_in_schema[0] === name);
    const range = chunk && rangeOf(chunk);
    if (range === undefined || range.end > file.bytes || range.end - range.start > MAX_CHUNK_BYTES)
      return sink.refuse(range?.start ?? 0, `column ${name} of a row group within the file`);
    const bytes = await file.read(range.start, range.end - range.start);
    const wanted = { metadata: { ...metadata, row_groups: [group] }, rows, element };
    columns[name] = await decodeColumn(
      library,
      bytes,
      wanted,
      chunk?.meta_data?.codec ?? "",
      sink,
      range.start,
    );
  }
  return columns;
}

function rangeOf({
  meta_data: meta,
}: RowGroup["columns"][number]): { start: number; end: number } | undefined {
  if (meta === undefined) return undefined;
  const start = Number(meta.dictionary_page_offset || meta.data_page_offset);
  const end = start + Number(meta.total_compressed_size);
  return start >= MAGIC.length && end >= start ? { start, end } : undefined;
}

async function decodeColumn(
  library: Library,
  bytes: Uint8Array,
  { metadata, rows, element }: { metadata: FileMetaData; rows: number; element: SchemaElement },
  codec: string,
  sink: TraceSink,
  start: number,
): Promise<Values> {
  const known = codecs((input, output) => library.snappyUncompress(input, output));
  const optional = element.repetition_type === "OPTIONAL";
  const limits: ChunkLimits = { rows, optional, codec, inflate: inflateWith(known, MAX_CHUNK_BYTES) };
  guarded(sink, start, () => checkPages(bytes, limits));
  const whole = Uint8Array.from(bytes).buffer;
  const file = { byteLength: Number.MAX_SAFE_INTEGER, slice: () => whole };
  const { name } = element;
  const parts: Values[] = [];
  try {
    await library.parquetRead({
      file,
      metadata,
      columns: [name],
      compressors: known,
      onPage: ({ columnData }) => parts.push(columnData),
    });
  } catch (error) {
    return sink.refuse(start, `Parquet data of column ${name} (${messageOf(error)})`);
  }
  const values = parts.length === 1 ? (parts[0] as Values) : parts.flatMap((part) => Array.from(part));
  return values.length === rows ? values : sink.refuse(start, `${rows} values of column ${name}`);
}

function* addRows(columns: Columns, rows: number, sink: TraceSink, at: number): Generator<number> {
  const row = emptyRow();
  const names = ROW_COLUMN_NAMES.filter((name) => name in columns);
  for (let index = 0; index < rows; index++) {
    const fault = rowOf(columns, names, index, row) ?? rowFault(row);
    if (fault !== undefined) sink.refuse(at, fault);
    sink.row(row);
    if (sink.rows.count >= YIELD_ROWS) yield at;
  }
  if (sink.rows.count > 0) yield at;
}

function rowOf(columns: Columns, names: readonly string[], index: number, row: EventRow): string | undefined {
  clearRow(row);
  for (const name of names) {
    const value = columns[name]?.[index];
    if (value === undefined || value === null) continue;
    const column = ROW_COLUMNS[name];
    if (column?.read(row, value) === false) return column.expected;
  }
  return undefined;
}

function guarded<T>(sink: TraceSink, at: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const what = error instanceof Malformed ? error.message : `Parquet data (${messageOf(error)})`;
    return sink.refuse(at, what);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
