/**
 * The columns of a batch, as TypeScript knows them.
 *
 * Their home is native/core/event.hpp. They are repeated here because types
 * and completion need literals, and compared with the addon's own table when
 * it is loaded, so a stale binary is refused instead of misread. This file
 * knows offsets and widths; it must not know what a column means.
 */

export type ColumnType = "f64" | "u32" | "u16" | "u8";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** What the addon says of its own layout. */
export interface Layout {
  readonly version: number;
  readonly event: readonly Column[];
  readonly extra: readonly Column[];
  readonly outcome: readonly Column[];
  readonly eventKinds: readonly string[];
  readonly outcomes: readonly string[];
  readonly flushScopes: readonly string[];
}

/** Kinds of an event; the index is the value of the `kind` column. */
export const EVENT_KINDS = [
  "access",
  "zap",
  "zap-all-fast",
  "dirty-log-get",
  "dirty-log-enable",
  "dirty-log-disable",
  "end",
  "hva-invalidate",
  "attributes",
  "hva-begin",
  "hva-end",
  "age",
  "test-age",
  "dirty-log-clear",
  "dirty-ring-reset",
  "write-track-add",
  "write-track-remove",
  "prefault",
  "vcpu-tlb-flush",
  "async-ready",
  "nx-recover",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Outcomes; the index is the value of the `outcome` column. */
export const OUTCOMES = [
  "hit",
  "fixed",
  "spurious",
  "emulate",
  "retry",
  "writeProtected",
  "unzapped",
  "memoryFault",
  "error",
  "stuck",
  "done",
] as const;

/** What an access came to. */
export type OutcomeCode = Exclude<(typeof OUTCOMES)[number], "done">;

/** How far a TLB flush reached; the index is the value of the `flush` column. */
export const FLUSH_SCOPES = ["none", "range", "full"] as const;
export type FlushScope = (typeof FLUSH_SCOPES)[number];

const EVENT = [
  { name: "gpa", type: "f64" },
  { name: "bytes", type: "f64" },
  { name: "errorCode", type: "f64" },
  { name: "vcpu", type: "u16" },
  { name: "kind", type: "u8" },
  { name: "access", type: "u8" },
] as const;

const EXTRA = [
  { name: "time", type: "f64" },
  { name: "ripLow", type: "u32" },
  { name: "ripHigh", type: "u32" },
] as const;

const OUTCOME = [
  { name: "sptesChanged", type: "u32" },
  { name: "flushedPages", type: "u32" },
  { name: "outcome", type: "u8" },
  { name: "level", type: "u8" },
  { name: "tablesRead", type: "u8" },
  { name: "flush", type: "u8" },
] as const;

export const LAYOUT = {
  version: 3,
  event: EVENT,
  extra: EXTRA,
  outcome: OUTCOME,
  eventKinds: EVENT_KINDS,
  outcomes: OUTCOMES,
  flushScopes: FLUSH_SCOPES,
} as const satisfies Layout;

const WIDTHS = { f64: 8, u32: 4, u16: 2, u8: 1 } as const;
const VIEWS = { f64: Float64Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array } as const;

interface ViewOf {
  f64: Float64Array;
  u32: Uint32Array;
  u16: Uint16Array;
  u8: Uint8Array;
}

/** One typed array per column of a layout. */
export type ColumnViews<Columns extends readonly Column[]> = {
  readonly [C in Columns[number] as C["name"]]: ViewOf[C["type"]];
};

export type EventColumns = ColumnViews<typeof EVENT>;
export type ExtraColumns = ColumnViews<typeof EXTRA>;
export type OutcomeColumns = ColumnViews<typeof OUTCOME>;

/** Bytes of one row of these columns. */
export function bytesPerRow(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + WIDTHS[column.type], 0);
}

/** Views over columns that follow each other from `offset`, `rows` long each. */
export function columnViews<const Columns extends readonly Column[]>(
  columns: Columns,
  buffer: ArrayBuffer,
  offset: number,
  rows: number,
): ColumnViews<Columns> {
  const views: Record<string, ArrayBufferView> = {};
  let start = offset;
  for (const { name, type } of columns) {
    views[name] = new VIEWS[type](buffer, start, rows);
    start += rows * WIDTHS[type];
  }
  return views as ColumnViews<Columns>;
}

const TABLES = ["event", "extra", "outcome", "eventKinds", "outcomes", "flushScopes"] as const;

/** Undefined if the addon agrees with this file, else a sentence that says where not. */
export function layoutMismatch(addon: Layout): string | undefined {
  if (addon.version !== LAYOUT.version) {
    return `the addon was built for layout ${addon.version}, this package needs ${LAYOUT.version}; run npm rebuild`;
  }
  for (const part of TABLES) {
    if (JSON.stringify(addon[part].map(nameOf)) === JSON.stringify(LAYOUT[part].map(nameOf))) continue;
    return `the addon's "${part}" table differs from this package's at layout ${LAYOUT.version}; run npm rebuild`;
  }
  return undefined;
}

function nameOf(entry: string | Column): string {
  return typeof entry === "string" ? entry : `${entry.name}:${entry.type}`;
}
