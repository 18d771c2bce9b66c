/**
 * What a metric is: a fold over batches of events and their outcomes.
 *
 * A metric sees columns and keeps plain numbers, nothing per event. Its result
 * becomes fields of the replay. It must not know the VM or the trace.
 */
import type { EventBatch } from "../columns/event-batch.js";
import type { EventKind, FlushScope, OutcomeCode } from "../columns/layout.js";
import type { OutcomeBatch } from "../columns/outcome-batch.js";

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
  /** Takes in rows [0, events.count). Must not keep the batches. */
  add(state: State, events: EventBatch, outcomes: OutcomeBatch): void;
  /** The fields that this metric contributes. */
  finish(state: State): Fields;
}

/** Types a metric; the default export of a file in this folder. */
export function defineMetric<State, Fields extends Partial<MetricFields>>(
  metric: Metric<State, Fields>,
): Metric<State, Fields> {
  return Object.freeze(metric);
}

/** `{name: count}` of what occurred, in the order of `names`. */
export function occurred<Name extends string>(
  names: readonly Name[],
  counts: ArrayLike<number>,
): Partial<Record<Name, number>> {
  const entries = names.map((name, index) => [name, counts[index] ?? 0] as const);
  return Object.fromEntries(entries.filter(([, count]) => count > 0)) as Partial<Record<Name, number>>;
}
