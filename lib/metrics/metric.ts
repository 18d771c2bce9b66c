/**
 * What a metric is: fields of a replay, made of the rows that there were.
 *
 * Most ask for nothing but counts of rows, which are taken once for all of
 * them. One that needs more folds batches, and keeps plain numbers, nothing per
 * event. It must not know the VM or the trace.
 */
import type { EventBatch } from "../columns/event-batch.js";
import type { EventKind, FlushScope, OutcomeCode } from "../columns/layout.js";
import type { OutcomeBatch } from "../columns/outcome-batch.js";
import type { RowCount, RowCounts } from "../columns/row-counts.js";

/** What the events themselves say. */
export interface InputFields {
  /** Rows of the trace, operations and its end mark included. */
  readonly events: number;
  readonly accesses: number;
  /** Kinds that occurred. */
  readonly byKind: Readonly<Partial<Record<EventKind, number>>>;
  /** Highest vCPU id of an access, plus one. */
  readonly vcpus: number;
  /** Changes of attributes that a projection inserted; they are no events of the trace. */
  readonly conversions: number;
  /** Time of the first event in seconds of the trace's clock. */
  readonly firstTime: number;
  readonly lastTime: number;
}

/** Events by the widest flush that each made. */
export type FlushesByScope = Readonly<Record<FlushScope, number>>;

/** The fields of a replay that metrics make. */
export interface MetricFields {
  readonly input: InputFields;
  /** Accesses by what they came to; only what occurred, in a fixed order. */
  readonly outcomes: Readonly<Partial<Record<OutcomeCode, number>>>;
  /** Operations by kind, only those that occurred. */
  readonly operations: Readonly<Partial<Record<Exclude<EventKind, "access" | "end">, number>>>;
  /** Events by kind and flush, for the kinds that flushed; `attributes` has inserted conversions too. */
  readonly flushScopes: Readonly<Partial<Record<EventKind, FlushesByScope>>>;
}

export interface Metric<State = unknown, Fields extends Partial<MetricFields> = Partial<MetricFields>> {
  /** The name of its file. */
  readonly name: string;
  /** State before the first batch. */
  init(): State;
  /** Takes in rows [0, events.count), if counts of them are not enough. Must not keep the batches. */
  add?(state: State, events: EventBatch, outcomes: OutcomeBatch): void;
  /** The fields that this metric contributes; `counts` is of every row of every batch. */
  finish(state: State, counts: RowCounts): Fields;
}

/** Types a metric; the default export of a file in this folder. */
export function defineMetric<State, Fields extends Partial<MetricFields>>(
  metric: Metric<State, Fields>,
): Metric<State, Fields> {
  return Object.freeze(metric);
}

/** Rows by a value that each combination has, an index below `length`. */
export function summed(
  counts: readonly RowCount[],
  length: number,
  by: (count: RowCount) => number,
): Float64Array {
  const sums = new Float64Array(length);
  for (const count of counts) sums[by(count)] = (sums[by(count)] as number) + count.rows;
  return sums;
}

/** `{name: count}` of what occurred, in the order of `names`. */
export function occurred<Name extends string>(
  names: readonly Name[],
  counts: ArrayLike<number>,
): Partial<Record<Name, number>> {
  const entries = names.map((name, index) => [name, counts[index] ?? 0] as const);
  return Object.fromEntries(entries.filter(([, count]) => count > 0)) as Partial<Record<Name, number>>;
}
