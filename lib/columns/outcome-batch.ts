/**
 * A batch of outcomes: what the engine wrote for each event of a batch.
 *
 * Row i belongs to event i. Columns are for volume; `at(i)` builds one object
 * for a reader. It must not know how an outcome came about.
 */
import { markAsUntransferable } from "node:worker_threads";
import { PAGE_SIZES, type PageSize } from "../address.js";
import { expectInteger } from "../expect.js";
import { DEFAULT_BATCH, MAX_BATCH } from "./event-batch.js";
import {
  bytesPerRow,
  columnViews,
  FLUSH_SCOPES,
  type FlushScope,
  LAYOUT,
  OUTCOMES,
  type OutcomeCode,
  type OutcomeColumns,
} from "./layout.js";

/** What came of one event: a fault too is told here, and nothing is thrown. */
export interface Outcome {
  /** `done` for everything that is not an access. */
  readonly result: OutcomeCode | "done";
  /** Size of the leaf that served the access; undefined if none did. */
  readonly pageSize: PageSize | undefined;
  /** Tables that the first hardware walk read, 0 for operations. */
  readonly tablesRead: number;
  /** SPTEs that KVM's side changed; Accessed and Dirty bits do not count. */
  readonly sptesChanged: number;
  /** The widest TLB flush that it made; `none` also where one was owed and elided. */
  readonly flush: FlushScope;
  /** Pages of its range flushes; a full flush counts none. */
  readonly flushedPages: number;
}

/** One outcome as the columns, and the engine, have it. */
export interface RawOutcome {
  readonly outcome: number;
  readonly level: number;
  readonly tablesRead: number;
  readonly sptesChanged: number;
  readonly flush: number;
  readonly flushedPages: number;
}

/** Outcomes out, one row per event of a batch of the same capacity. */
export class OutcomeBatch implements OutcomeColumns {
  readonly capacity: number;
  /** The one block behind every column. It cannot be transferred to another thread. */
  readonly buffer: ArrayBuffer;
  readonly sptesChanged: Uint32Array;
  /** Pages of range flushes; 2^32 - 1 stands for that many or more. */
  readonly flushedPages: Uint32Array;
  /** Index into `OUTCOMES`. */
  readonly outcome: Uint8Array;
  /** 1 4K, 2 2M, 3 1G, 0 none. */
  readonly level: Uint8Array;
  readonly tablesRead: Uint8Array;
  /** Index into `FLUSH_SCOPES`. */
  readonly flush: Uint8Array;
  /** Rows that the last run wrote. */
  count = 0;

  /** @throws TypeError or RangeError with code `ERR_CONFIG` unless capacity is an integer from 1 to 2^24. */
  constructor(capacity: number = DEFAULT_BATCH) {
    this.capacity = expectInteger("capacity", capacity, 1, MAX_BATCH);
    this.buffer = new ArrayBuffer(capacity * bytesPerRow(LAYOUT.outcome));
    // For the same reason as an event batch's block.
    markAsUntransferable(this.buffer);
    const columns = columnViews(LAYOUT.outcome, this.buffer, 0, capacity);
    this.sptesChanged = columns.sptesChanged;
    this.outcome = columns.outcome;
    this.level = columns.level;
    this.tablesRead = columns.tablesRead;
    this.flushedPages = columns.flushedPages;
    this.flush = columns.flush;
  }

  /** One outcome as an object. @throws RangeError if the row was not written */
  at(row: number): Outcome {
    expectInteger("row", row, 0, this.count - 1);
    return outcomeOf({
      outcome: this.outcome[row] as number,
      level: this.level[row] as number,
      tablesRead: this.tablesRead[row] as number,
      sptesChanged: this.sptesChanged[row] as number,
      flush: this.flush[row] as number,
      flushedPages: this.flushedPages[row] as number,
    });
  }
}

/** The object form of one outcome's raw values. */
export function outcomeOf(raw: RawOutcome): Outcome {
  const { tablesRead, sptesChanged, flushedPages } = raw;
  return {
    result: OUTCOMES[raw.outcome] ?? "error",
    pageSize: PAGE_SIZES[raw.level],
    tablesRead,
    sptesChanged,
    flush: FLUSH_SCOPES[raw.flush] ?? "none",
    flushedPages,
  };
}
