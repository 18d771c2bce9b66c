// A trace of given rows, in batches that take turns as those of a file do, so
// that whoever keeps one for too long is found out.
import { EventBatch } from "../../lib/columns/event-batch.js";
import type { Trace } from "../../lib/trace/trace.js";
import { NO_TOTALS } from "../../lib/trace/trace-format.js";

export interface FakeTraceOptions {
  readonly rewindable?: boolean;
  /** Throws this when the rows have ended. */
  readonly endsWith?: Error;
}

/** @param fill pushes row i into a batch, which has room */
export function traceOf(
  rows: number,
  fill: (batch: EventBatch, row: number) => void,
  { rewindable = true, endsWith }: FakeTraceOptions = {},
): Trace {
  async function* batches({ size = 65_536, extra = false, signal }: Parameters<Trace["batches"]>[0] = {}) {
    const pair = [new EventBatch(size, { extra }), new EventBatch(size, { extra })];
    for (let start = 0; start < rows; start += size) {
      signal?.throwIfAborted();
      const batch = pair.reverse()[0] as EventBatch;
      batch.reset();
      for (let row = start; row < Math.min(rows, start + size); row++) fill(batch, row);
      yield batch;
    }
    if (endsWith !== undefined) throw endsWith;
  }
  return {
    format: "rows",
    compression: "none",
    path: undefined,
    source: "rows",
    storedBytes: undefined,
    readBytes: 0,
    rewindable,
    hasOperations: true,
    totals: { ...NO_TOTALS, records: rows },
    batches,
    sha256: async () => undefined,
    startHash: () => {},
  };
}
