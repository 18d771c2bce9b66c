/**
 * One run of a batch, around the native call: what it may be told, what is
 * checked before it, and what its end means.
 */
import { EventBatch } from "./columns/event-batch.js";
import { OutcomeBatch } from "./columns/outcome-batch.js";
import { fromNative, MmuError } from "./errors.js";
import { expectInteger, expectKeys, wrongType } from "./expect.js";

export interface RunOptions {
  /** Stops the run with `ERR_ABORTED`; the VM stays usable. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Threads that help where thousands of hits follow each other, 0 to 255. They are the VM's, start when they are first
   * asked for, and end with it; what comes of a run does not depend on them.
   * @default 0
   */
  readonly helpers?: number;
}

const MOST_HELPERS = 255;

/** @throws TypeError or RangeError with code `ERR_CONFIG` */
export function expectRunOptions(options: RunOptions): Required<RunOptions> {
  expectKeys("run", options, ["signal", "helpers"]);
  const { signal, helpers = 0 } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw wrongType("signal", "an AbortSignal", signal);
  return { signal, helpers: expectInteger("helpers", helpers, 0, MOST_HELPERS) };
}

/** Hands both batches to the engine. */
export function begin(events: EventBatch, outcomes: OutcomeBatch): void {
  if (!(events instanceof EventBatch)) throw wrongType("events", "an EventBatch", events);
  if (!(outcomes instanceof OutcomeBatch)) throw wrongType("outcomes", "an OutcomeBatch", outcomes);
  if (events.capacity !== outcomes.capacity) {
    const message = `the outcome batch has ${outcomes.capacity} rows, the event batch ${events.capacity}`;
    throw new MmuError("ERR_BATCH", message, { values: { applied: 0 } });
  }
  expectInteger("count", events.count, 0, events.capacity);
  events.beginRun();
  outcomes.count = 0;
}

/** The error of a run that ended early; what the engine did before stays readable. */
export function stopped(error: unknown, outcomes: OutcomeBatch): unknown {
  const converted = fromNative(error);
  if (converted instanceof MmuError) outcomes.count = converted.values["applied"] ?? 0;
  return converted;
}

export function abortedBefore(signal: AbortSignal): MmuError {
  return new MmuError("ERR_ABORTED", "aborted after 0 events", {
    values: { applied: 0 },
    cause: signal.reason,
  });
}
