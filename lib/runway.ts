/**
 * Batches on their way through VMs: one in flight per VM, the one before it
 * folded into metrics meanwhile.
 *
 * Several VMs may take the same batches, each with outcomes of its own. It
 * must not know traces, nor what an outcome means.
 */

import { setImmediate } from "node:timers/promises";
import { type EventBatch, isInserted } from "./columns/event-batch.js";
import { OutcomeBatch } from "./columns/outcome-batch.js";
import { inTrace, MmuError, named } from "./errors.js";
import type { Tally } from "./metrics/registry.js";
import type { Turns } from "./threads.js";
import type { Vm } from "./vm.js";

/** The share of a run's time which, where it is waited, makes the run late. */
const LATE = 1 / 8;

/** A batch that was started on a VM, and the promise of its end. */
interface Flight {
  readonly events: EventBatch;
  readonly outcomes: OutcomeBatch;
  /** The error that ended it early, if one did. */
  readonly landed: Promise<unknown>;
}

export interface RunwayOptions {
  readonly signal?: AbortSignal | undefined;
  /** Threads that may be at work at once; 1: all on this one. */
  readonly threads: number;
  /** Threads that may serve hits while this one would only wait. */
  readonly helpers?: number;
  /** Whose run is next, where VMs are more than threads. */
  readonly turns?: Turns | undefined;
  /** Called when a batch has landed, before the next is started, and waited for. */
  readonly onLanded?: (() => Promise<void>) | undefined;
  /** Called with the events of the trace that every VM has taken. */
  readonly onFolded?: ((events: number) => void) | undefined;
}

/** One VM's way through a trace. */
export class Lane {
  readonly vm: Vm;
  readonly tally: Tally;
  /** What to call the VM in an error; undefined where there is only one. */
  readonly name: string | undefined;
  /** Time in which the VM had a batch in flight. */
  busyNs = 0;
  readonly #outcomes: OutcomeBatch[];
  #flight: Flight | undefined;
  #flightNs = 0;
  /** Whether the last batch had to be waited for: then help is worth its while. */
  #isLate = false;
  /** Events of the trace that were folded; what a projection inserted is none. */
  #folded = 0;

  constructor(vm: Vm, tally: Tally, batchSize: number, name?: string) {
    this.vm = vm;
    this.tally = tally;
    this.name = name;
    this.#outcomes = [new OutcomeBatch(batchSize), new OutcomeBatch(batchSize)];
  }

  get folded(): number {
    return this.#folded;
  }

  /** Waits for the batch in flight; returns the error that ended it, if one did. */
  async arrival(): Promise<unknown> {
    const started = process.hrtime.bigint();
    if (this.#flight === undefined) return undefined;
    const error = await this.#flight.landed;
    this.#isLate = Number(process.hrtime.bigint() - started) > this.#flightNs * LATE;
    return error;
  }

  /** Starts a batch and folds the one before it, which has landed. */
  start(events: EventBatch, options: RunwayOptions): void {
    const last = this.#flight;
    const outcomes = this.#outcomes.reverse()[0] as OutcomeBatch;
    this.#flight = { events, outcomes, landed: this.#fly(events, outcomes, options) };
    this.#fold(last);
  }

  /** Folds the last batch, which has landed. */
  finish(): void {
    this.#fold(this.#flight);
    this.#flight = undefined;
  }

  /** An error of this VM, or of reading, with the numbers of the trace's events. */
  explain(error: unknown): unknown {
    const { events, outcomes } = this.#flight ?? {};
    const row = rowOf(error);
    const before = this.#folded - (events === undefined ? 0 : insertedBefore(events, row));
    const applied = events === undefined ? 0 : eventsBefore(events, outcomes?.count ?? 0);
    return inTrace(error, before, this.#folded + applied);
  }

  #fold(flight: Flight | undefined): void {
    if (flight === undefined) return;
    this.#folded += this.tally.add(flight.events, flight.outcomes);
  }

  // Resolves with the error instead of rejecting: a batch may fail while nobody
  // waits for it yet, because the next one is being decoded.
  async #fly(events: EventBatch, outcomes: OutcomeBatch, options: RunwayOptions): Promise<unknown> {
    const { turns } = options;
    try {
      if (turns === undefined) await this.#run(events, outcomes, options);
      else await turns.take(() => this.#run(events, outcomes, options));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async #run(events: EventBatch, outcomes: OutcomeBatch, options: RunwayOptions): Promise<void> {
    const { threads, signal } = options;
    const started = process.hrtime.bigint();
    const helpers = this.#isLate ? options.helpers : 0;
    try {
      if (threads === 1) this.vm.runSync(events, outcomes);
      else await this.vm.run(events, outcomes, { signal, ...(helpers && { helpers }) });
    } finally {
      this.#flightNs = Number(process.hrtime.bigint() - started);
      this.busyNs += this.#flightNs;
    }
  }
}

/** VMs that take the same batches, in step. */
export class Runway {
  readonly #lanes: readonly Lane[];
  readonly #options: RunwayOptions;

  constructor(lanes: readonly Lane[], options: RunwayOptions) {
    this.#lanes = lanes;
    this.#options = options;
  }

  /** Waits for what is in flight, starts this batch on every VM, and folds the one before. */
  async launch(events: EventBatch): Promise<void> {
    await this.#landed();
    for (const lane of this.#lanes) lane.start(events, this.#options);
    this.#tell();
    // Else a signal would not be heard before the end of the trace.
    if (this.#options.threads === 1) await setImmediate();
  }

  async land(): Promise<void> {
    await this.#landed();
    for (const lane of this.#lanes) lane.finish();
    this.#tell();
  }

  /**
   * Lets everything in flight end, whatever ended the replay.
   *
   * @returns the error to throw: this one, as an error of the trace
   */
  async abandon(error: unknown): Promise<unknown> {
    await this.settle();
    if (!(error instanceof Failure)) return this.#lanes[0]?.explain(error) ?? error;
    const { lane, cause } = error;
    // An abort is nobody's failure.
    const isAbort = cause instanceof MmuError && cause.code === "ERR_ABORTED";
    return named(lane.explain(cause), isAbort ? "" : (lane.name ?? ""));
  }

  /** Lets everything in flight end. */
  async settle(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.arrival()));
  }

  async #landed(): Promise<void> {
    await this.#arrival();
    await this.#options.onLanded?.();
  }

  // Each VM lands before anyone hears of a failure, so that nothing is left running.
  async #arrival(): Promise<void> {
    const errors = await Promise.all(this.#lanes.map((lane) => lane.arrival()));
    const failed = errors.findIndex((error) => error !== undefined);
    if (failed >= 0) throw new Failure(this.#lanes[failed] as Lane, errors[failed]);
  }

  #tell(): void {
    const folded = this.#lanes[0]?.folded ?? 0;
    if (folded > 0) this.#options.onFolded?.(folded);
  }
}

/** Which VM an error is of; it never leaves `abandon`. */
class Failure extends Error {
  readonly lane: Lane;

  constructor(lane: Lane, cause: unknown) {
    super("a run failed", { cause });
    this.lane = lane;
  }
}

function rowOf(error: unknown): number {
  if (typeof error !== "object" || error === null || !("values" in error)) return 0;
  return (error.values as Readonly<Record<string, number>>)["row"] ?? 0;
}

function insertedBefore({ kind, access }: EventBatch, row: number): number {
  let inserted = 0;
  for (let i = 0; i < row; i++) inserted += isInserted(kind[i] as number, access[i] as number) ? 1 : 0;
  return inserted;
}

function eventsBefore(events: EventBatch, row: number): number {
  return row - insertedBefore(events, row);
}
