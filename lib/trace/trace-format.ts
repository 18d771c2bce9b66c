/**
 * What a trace format is: a name, how to recognise it, and how to decode it.
 *
 * What comes with the package is decoded natively, found by its name. Anyone
 * may add a format whose decoder is TypeScript. The native side is handed in as a backend, so nothing here
 * knows where decoders come from, and nothing knows compression.
 */
import type { Gpa } from "../address.js";
import { type Access, EventBatch, type MemoryAttribute, type Operation } from "../columns/event-batch.js";
import { TraceError } from "../errors.js";
import { wrongType } from "../expect.js";
import type { EventRow } from "./row-check.js";

/** What a decoder has met since it was opened. */
export interface TraceTotals {
  /** Bytes consumed, after decompression. */
  readonly bytes: number;
  /** Rows produced. */
  readonly records: number;
  /** Events that the recorder says it dropped. */
  readonly lost: number;
  /** Lines or records passed over, by reason; a reason that starts with `note:` is about rows that were made. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Where the dropped events are missing; the first hundred places. */
  readonly gaps: readonly TraceGap[];
  /** Events that are older than the one before them, as where recordings were joined. */
  readonly backwards: number;
  /** Before which events that was; the first hundred. */
  readonly backwardsAt: readonly number[];
  /** Whose error codes the trace has; the name is empty where nothing tells. */
  readonly vendor: VendorGuess;
  /** Faults by the level of the page that they mapped, as `kvm_mmu_spte_requested` says; index 0 is unused. */
  readonly mappedLevels: readonly number[];
  /** Highest level of an entry that `kvm_tdp_mmu_spte_changed` names; 0 if none does. */
  readonly topLevel: number;
}

/** A place where events are missing. */
export interface TraceGap {
  /** Index of the event that follows. */
  readonly before: number;
  readonly events: number;
}

/** Whose error codes a trace has. */
export interface VendorGuess {
  readonly name: string;
  /** 0 to 1; 1 if it was said. */
  readonly confidence: number;
  readonly why: string;
}

/** What a trace without any event has. */
export const NO_TOTALS: TraceTotals = {
  bytes: 0,
  records: 0,
  lost: 0,
  skipped: {},
  gaps: [],
  backwards: 0,
  backwardsAt: [],
  vendor: { name: "", confidence: 0, why: "" },
  mappedLevels: [0, 0, 0, 0, 0, 0],
  topLevel: 0,
};

/** How far one call of a decoder got. */
export interface DecodeStep {
  /** Bytes consumed, counted from the offset. */
  readonly consumed: number;
  /** Rows in the batch after the call. */
  readonly count: number;
}

/** A native decoder: bytes in, rows [at, capacity) of a block out. */
export interface TraceDecoder {
  decode(
    chunk: Uint8Array,
    offset: number,
    last: boolean,
    events: ArrayBuffer,
    at: number,
    capacity: number,
    extra: boolean,
  ): DecodeStep;
  totals(): TraceTotals;
}

/** A file in memory, decoded without copying it. */
export interface MappedTrace {
  readonly bytes: number;
  decode(
    decoder: TraceDecoder,
    offset: number,
    events: ArrayBuffer,
    at: number,
    capacity: number,
    extra: boolean,
  ): DecodeStep;
  close(): void;
}

/** What the native side offers to traces. */
export interface TraceBackend {
  /** The native format that these first bytes belong to, `""` if none. */
  detectFormat(head: Uint8Array): string;
  readonly Decoder: new (format: string, vendor: string) => TraceDecoder;
  readonly MappedFile: new (path: string) => MappedTrace;
}

/** Writes rows as bytes; `writeTrace` asks it for one row at a time. */
export interface TraceEncoder {
  /** More bytes than any record or the header takes. */
  readonly maxBytes: number;
  /** Writes what stands in front of the first record; returns where it ends. */
  begin(out: Buffer, at: number): number;
  /**
   * Writes one row; returns where it ends.
   *
   * @throws MmuError `ERR_TRACE` for a row that the format cannot say
   */
  write(batch: EventBatch, row: number, out: Buffer, at: number): number;
}

/** Writes rows as bytes many at a time, for a format that keeps columns together. */
export interface BlockEncoder {
  /** Takes every row; yields bytes as they are complete. */
  write(batch: EventBatch): Iterable<Uint8Array>;
  /** The rest, when there are no more rows. */
  finish(): Iterable<Uint8Array>;
}

interface FormatBase {
  /** Lower case, and the name of its file. */
  readonly name: string;
  /** One line for a list of formats. */
  readonly summary: string;
  /** Ends of names of files that are written in it, as `.bin`. @default none */
  readonly suffixes?: readonly string[];
  /** Whether a trace may hold anything but accesses. */
  readonly hasOperations: boolean;
  /** How a row is written. A format without this and without `blockEncoder` is only read. */
  readonly encoder?: () => TraceEncoder;
  /** In place of `encoder`. */
  readonly blockEncoder?: () => Promise<BlockEncoder>;
}

/** A format that the native side decodes under the same name. */
export interface NativeTraceFormat extends FormatBase {
  readonly native: true;
  readonly ranged?: false;
}

/** A format that decodes in TypeScript. */
export interface ScriptTraceFormat<State = unknown> extends FormatBase {
  readonly native?: false;
  readonly ranged?: false;
  /** Whether these first bytes, at most 64 KiB, belong to the format. */
  detect(head: DataView): boolean;
  /** State of one pass over a trace. */
  open(): State;
  /**
   * Decodes whole records from the front of `chunk`; returns the bytes
   * consumed. The rest comes again, with more bytes behind it.
   */
  decode(chunk: DataView, sink: TraceSink, state: State): number;
  /**
   * The same for what is left when the trace has ended, if anything is.
   * Without it a trace that does not end with a whole record is refused.
   */
  end?(chunk: DataView, sink: TraceSink, state: State): number;
}

/** A file whose bytes are read by ranges. */
export interface RangedFile {
  readonly bytes: number;
  /** These bytes, as far as the file has them. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A format whose parts are found through its end. A stream of it is kept in a temporary file first. */
export interface RangedTraceFormat extends FormatBase {
  readonly native?: false;
  readonly ranged: true;
  /** Whether these first bytes, at most 64 KiB, belong to the format. */
  detect(head: DataView): boolean;
  /** One pass: fills the sink and yields, each time rows may be taken, how many bytes of the file were read. */
  read(file: RangedFile, sink: TraceSink): AsyncGenerator<number>;
}

// A list of formats with different states has no better common type.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type TraceFormat = NativeTraceFormat | RangedTraceFormat | ScriptTraceFormat<any>;

/** Types and checks a format; the default export of a file in `formats/`. */
export function defineTraceFormat(format: NativeTraceFormat): NativeTraceFormat;
export function defineTraceFormat(format: RangedTraceFormat): RangedTraceFormat;
export function defineTraceFormat<State>(format: ScriptTraceFormat<State>): ScriptTraceFormat<State>;
export function defineTraceFormat(format: TraceFormat): TraceFormat {
  if (!/^[a-z][a-z0-9-]*$/.test(format.name)) {
    throw wrongType("format name", "lower-case letters, digits and dashes", format.name);
  }
  return Object.freeze(format);
}

const FIRST_ROWS = 4096;
/** As many places of losses are named before they are only counted, here as in native decoders. */
const MOST_PLACES = 100;

/** Where a TypeScript format puts its rows. It grows; a chunk bounds it. */
export class TraceSink {
  readonly #format: string;
  readonly #source: string;
  #rows = new EventBatch(FIRST_ROWS, { extra: true });
  #base = 0;
  #records = 0;
  #lost = 0;
  readonly #gaps: TraceGap[] = [];
  readonly #skipped: Record<string, number> = {};

  /** @param source what to call the trace in an error */
  constructor(format: string, source: string) {
    this.#format = format;
    this.#source = source;
  }

  /** Appends a guest access. `errorCode` is the recorded one, if there is one. */
  access(gpa: Gpa, access: Access | readonly Access[], vcpu = 0, errorCode = 0): void {
    this.#makeRoom();
    this.#rows.pushAccess(gpa, access, vcpu);
    this.#rows.errorCode[this.#rows.count - 1] = errorCode;
  }

  /** Appends an operation of the VMM. */
  operation(kind: Operation, gpa: Gpa = 0, bytes = 0): void {
    this.#makeRoom();
    this.#rows.pushOperation(kind, gpa, bytes);
  }

  /** Appends a change of memory attributes. */
  attributes(gpa: Gpa, bytes: number, attribute: MemoryAttribute): void {
    this.#makeRoom();
    this.#rows.pushAttributes(gpa, bytes, attribute);
  }

  /** Appends a row of column values, which must be within their ranges. @internal */
  row(row: EventRow): void {
    this.#makeRoom();
    this.#rows.pushRow(row.kind, row.gpa, row.bytes, row.vcpu, row.access);
    this.#rows.errorCode[this.#rows.count - 1] = row.errorCode;
    this.stamp(row.time, row.ripLow, row.ripHigh);
  }

  /** Gives the row appended last its time in seconds and its rip. */
  stamp(seconds: number, ripLow = 0, ripHigh = 0): void {
    const { time, ripLow: low, ripHigh: high, count } = this.#rows;
    if (time === undefined || low === undefined || high === undefined || count === 0) return;
    time[count - 1] = seconds;
    low[count - 1] = ripLow;
    high[count - 1] = ripHigh;
  }

  /** Counts a line or record that makes no row, by reason. */
  skip(reason: string): void {
    this.#skipped[reason] = (this.#skipped[reason] ?? 0) + 1;
  }

  /** Counts events that the recorder dropped. */
  lost(events: number): void {
    this.#lost += events;
    const before = this.#records + this.#rows.count;
    const last = this.#gaps.at(-1);
    if (last?.before === before) this.#gaps[this.#gaps.length - 1] = { before, events: last.events + events };
    else if (this.#gaps.length < MOST_PLACES) this.#gaps.push({ before, events });
  }

  /** Refuses the trace: byte `at` of this chunk is not `expected`. */
  fail(at: number, expected: string): never {
    return this.refuse(this.#base + at, expected);
  }

  /** Refuses the trace: what is not `expected` is at this offset in it. */
  refuse(offset: number, expected: string): never {
    const record = this.#records + this.#rows.count;
    const message = `${this.#source}: record ${record} (byte ${offset}): expected ${expected}`;
    throw new TraceError(message, { format: this.#format, offset, record, values: { offset, record } });
  }

  /** The rows since the last {@link advance}. @internal */
  get rows(): EventBatch {
    return this.#rows;
  }

  /** Empties the rows; the next chunk starts `bytes` further on. @internal */
  advance(bytes: number): void {
    this.#base += bytes;
    this.#records += this.#rows.count;
    this.#rows.reset();
  }

  /** @internal */
  totals(): TraceTotals {
    const records = this.#records + this.#rows.count;
    const { skipped, lost, gaps } = {
      skipped: { ...this.#skipped },
      lost: this.#lost,
      gaps: [...this.#gaps],
    };
    return { ...NO_TOTALS, bytes: this.#base, records, lost, skipped, gaps };
  }

  #makeRoom(): void {
    if (!this.#rows.isFull) return;
    const wider = new EventBatch(this.#rows.capacity * 2, { extra: true });
    wider.pushRows(this.#rows, 0, this.#rows.count);
    this.#rows = wider;
  }
}
