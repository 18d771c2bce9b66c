/**
 * The first look at a trace: does a rule fire, and at which event? In constant
 * memory, and no further than to the batch in which it does.
 */
import { DEFAULT_BATCH, type EventBatch, isInserted } from "../columns/event-batch.js";
import { OutcomeBatch } from "../columns/outcome-batch.js";
import { inTrace, MmuError } from "../errors.js";
import { projected, startProjection } from "../replay-projection.js";
import type { Trace } from "../trace/trace.js";
import type { Vm } from "../vm.js";
import type { Violation } from "../vm-queries.js";
import { firstFinding } from "./judge.js";
import type { Pace } from "./pace.js";
import type { Story } from "./story.js";

export interface Search {
  readonly trace: Trace;
  /** The VM before the first event. */
  readonly start: Story;
  /** One that was made so. */
  readonly vm: Vm;
  readonly project: string;
  /** Undefined: any that says that something is wrong. */
  readonly rule: string | undefined;
  /** Events from one audit to the next; undefined for none. */
  readonly audit: number | undefined;
  readonly pace: Pace;
}

export interface Found {
  /** Undefined if nothing fired in the whole trace. */
  readonly violation: Violation | undefined;
  /** Of the trace, as far as it was read. */
  readonly events: number;
}

export async function findViolation(search: Search): Promise<Found> {
  const { vm, rule, audit, pace } = search;
  const outcomes = new OutcomeBatch(DEFAULT_BATCH);
  let events = 0;
  if (audit !== undefined && audit > 0) vm.auditEvery(audit);
  for await (const batch of batchesOf(search)) {
    await vm.run(batch, outcomes, { signal: pace.signal }).catch((error: unknown) => {
      throw inTrace(error, events - insertedIn(batch, rowOf(error)), events);
    });
    pace.counted(batch.count);
    const violation = firstFinding(vm, rule);
    if (violation !== undefined) return { violation, events };
    events += batch.count - insertedIn(batch, batch.count);
    pace.found(events);
    await pace.turn();
  }
  if (audit !== undefined) vm.auditEvery(0);
  return { violation: firstFinding(vm, rule), events };
}

/** The events of the trace as the VM has them: projected. */
export async function* batchesOf({ trace, vm, project, pace }: Search): AsyncGenerator<EventBatch> {
  const projecting = await startProjection(project, vm, trace);
  const batches = trace.batches({ size: DEFAULT_BATCH, signal: pace.signal });
  yield* projected(batches, projecting, DEFAULT_BATCH);
}

/** Rows of the first `rows` that a projection put in. */
function insertedIn({ kind, access }: EventBatch, rows: number): number {
  let inserted = 0;
  for (let row = 0; row < rows; row++) {
    if (isInserted(kind[row] as number, access[row] as number)) inserted++;
  }
  return inserted;
}

const rowOf = (error: unknown): number => (error instanceof MmuError ? (error.values["row"] ?? 0) : 0);
