/** Traces as lists of rows, in and out of batches. */
import { EventBatch } from "../../../lib/columns/event-batch.js";
import { projectBatches } from "../../../lib/projections/project-batches.js";
import type { Projection } from "../../../lib/projections/projection.js";
import type { TraceRow } from "./reference-projection.js";

const WORD = 2n ** 32n;

export function batchOf(rows: readonly TraceRow[], extra = true): EventBatch {
  const batch = new EventBatch(Math.max(rows.length, 1), { extra });
  for (const row of rows) {
    batch.pushRow(row.kind, row.gpa, row.bytes, row.vcpu, row.access);
    const at = batch.count - 1;
    batch.errorCode[at] = row.errorCode;
    if (batch.time === undefined || batch.ripLow === undefined || batch.ripHigh === undefined) continue;
    batch.time[at] = row.time;
    batch.ripLow[at] = Number(row.rip % WORD);
    batch.ripHigh[at] = Number(row.rip / WORD);
  }
  return batch;
}

export function rowsOf(batch: EventBatch): TraceRow[] {
  return Array.from({ length: batch.count }, (_, at) => ({
    kind: batch.kind[at] as number,
    gpa: batch.gpa[at] as number,
    bytes: batch.bytes[at] as number,
    errorCode: batch.errorCode[at] as number,
    vcpu: batch.vcpu[at] as number,
    access: batch.access[at] as number,
    time: batch.time?.[at] ?? 0,
    rip: BigInt(batch.ripHigh?.[at] ?? 0) * WORD + BigInt(batch.ripLow?.[at] ?? 0),
  }));
}

/** The whole trace through a projection, read `taken` rows at a time and handed on `given` at a time. */
export async function projected(
  trace: readonly TraceRow[],
  projection: Projection,
  taken: number,
  given: number,
): Promise<TraceRow[]> {
  async function* batches() {
    for (let at = 0; at < trace.length; at += taken) yield batchOf(trace.slice(at, at + taken));
  }
  const rows: TraceRow[] = [];
  for await (const batch of projectBatches(batches(), projection, { size: given, extra: true })) {
    rows.push(...rowsOf(batch));
  }
  return rows;
}
