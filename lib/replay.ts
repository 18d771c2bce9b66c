/**
 * Runs a trace through a VM: batches in, one result out.
 *
 * While one batch runs on the native pool, the next is decoded and the
 * outcomes of the one before are folded into metrics. It must not know
 * formats, nor what an outcome means.
 */
import { DEFAULT_BATCH, type EventBatch, MAX_BATCH } from "./columns/event-batch.js";
import { OutcomeBatch } from "./columns/outcome-batch.js";
import { inTrace } from "./errors.js";
import { expectInteger, expectKeys } from "./expect.js";
import { startTally, type Tally } from "./metrics/registry.js";
import {
  configOf,
  ENGINE,
  inputOf,
  type Replay,
  type ReplayTiming,
  roundsSince,
  stateOf,
} from "./replay-result.js";
import type { Guess } from "./trace/infer-memslots.js";
import type { Trace } from "./trace/trace.js";
import type { Vm } from "./vm.js";

export type { Replay, ReplayConfig, ReplayInput, ReplayMemslot, ReplayTiming } from "./replay-result.js";

export interface ReplayOptions {
  /** Stops the replay with `ERR_ABORTED`; the VM stays usable. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called after each batch with the events applied so far, and with the share
   * of the file that was read, if its size is known.
   */
  readonly onProgress?: ((events: number, share: number | undefined) => void) | undefined;
  /** Events of a batch: 1 to 2^24. @default 65536 */
  readonly batchSize?: number;
  /** Run on this thread, one batch after the other. @default false */
  readonly sync?: boolean;
  /** What was concluded about the trace and not told; it becomes part of the result. @default [] */
  readonly guesses?: readonly Guess[];
}

const OPTION_KEYS = ["signal", "onProgress", "batchSize", "sync", "guesses"] as const;
/** The engine's one way of walking so far; wider ones will say so. */
const SCALAR = "scalar";

/**
 * Feeds every event of a trace to a VM, in order, and reports what came of it.
 *
 * The VM keeps its state: its statistics and leaves are those of its whole
 * life, so use a new one for a new question.
 *
 * @throws (rejects) MmuError: `ERR_ABORTED`, `ERR_CLOSED`, `ERR_BUSY`,
 * `ERR_OUT_OF_MEMORY`, or `ERR_EVENT` for an event that this VM cannot have;
 * TraceError for a damaged trace. `values.applied` counts the events of the
 * trace that took effect.
 */
export async function replay(vm: Vm, trace: Trace, options: ReplayOptions = {}): Promise<Replay> {
  expectKeys("replay", options, OPTION_KEYS);
  const batch = expectInteger("batchSize", options.batchSize ?? DEFAULT_BATCH, 1, MAX_BATCH);
  const config = configOf(vm, options.guesses ?? []);
  const tally = await startTally();
  trace.startHash();
  const roundsBefore = vm.dirtyRounds();
  const started = process.hrtime.bigint();
  await runAll(vm, trace, tally, { ...options, batchSize: batch });
  const wallNs = Number(process.hrtime.bigint() - started);
  const { input, outcomes, operations } = tally.finish();
  return {
    schemaVersion: 1,
    run: `${config.alias.strategy}/${config.mmu}`,
    engine: ENGINE,
    input: await inputOf(trace, input),
    config,
    outcomes,
    ...stateOf(vm),
    operations,
    dirtyRounds: roundsSince(vm, roundsBefore),
    violations: [],
    timing: timingOf(wallNs, input.events, batch),
  };
}

/** A batch that was started, and the promise of its end. */
interface Flight {
  readonly events: EventBatch;
  readonly outcomes: OutcomeBatch;
  /** The error that ended it early, if one did. */
  readonly landed: Promise<unknown>;
}

type RunOptions = ReplayOptions & { readonly batchSize: number };

async function runAll(vm: Vm, trace: Trace, tally: Tally, options: RunOptions): Promise<void> {
  const { signal, batchSize } = options;
  const runway = new Runway(vm, trace, tally, options);
  try {
    for await (const events of trace.batches({ size: batchSize, extra: true, signal })) {
      await runway.launch(events);
    }
    await runway.land();
  } catch (error) {
    throw await runway.abandon(error);
  }
}

/** At most one batch in flight; what landed is folded into the tally. */
class Runway {
  readonly #vm: Vm;
  readonly #trace: Trace;
  readonly #tally: Tally;
  readonly #options: RunOptions;
  readonly #outcomes: OutcomeBatch[];
  #flight: Flight | undefined;
  #folded = 0;

  constructor(vm: Vm, trace: Trace, tally: Tally, options: RunOptions) {
    this.#vm = vm;
    this.#trace = trace;
    this.#tally = tally;
    this.#options = options;
    this.#outcomes = [new OutcomeBatch(options.batchSize), new OutcomeBatch(options.batchSize)];
  }

  /** Waits for the batch in flight, starts this one, and folds the other meanwhile. */
  async launch(events: EventBatch): Promise<void> {
    const last = await this.#arrival();
    const outcomes = this.#outcomes.reverse()[0] as OutcomeBatch;
    this.#flight = { events, outcomes, landed: this.#start(events, outcomes) };
    if (last !== undefined) this.#fold(last);
  }

  async land(): Promise<void> {
    const last = await this.#arrival();
    this.#flight = undefined;
    if (last !== undefined) this.#fold(last);
  }

  /** Lets the batch in flight end, whatever ended the replay; returns the error to throw. */
  async abandon(error: unknown): Promise<unknown> {
    await this.#flight?.landed;
    return inTrace(error, this.#folded, this.#folded + (this.#flight?.outcomes.count ?? 0));
  }

  async #arrival(): Promise<Flight | undefined> {
    const error = await this.#flight?.landed;
    if (error !== undefined) throw error;
    return this.#flight;
  }

  #fold({ events, outcomes }: Flight): void {
    this.#tally.add(events, outcomes);
    this.#folded += events.count;
    this.#options.onProgress?.(this.#folded, shareOf(this.#trace));
  }

  // Resolves with the error instead of rejecting: a batch may fail while nobody
  // waits for it yet, because the next one is being decoded.
  async #start(events: EventBatch, outcomes: OutcomeBatch): Promise<unknown> {
    const { sync = false, signal } = this.#options;
    try {
      if (sync) this.#vm.runSync(events, outcomes);
      else await this.#vm.run(events, outcomes, { signal });
      return undefined;
    } catch (error) {
      return error;
    }
  }
}

function shareOf(trace: Trace): number | undefined {
  return trace.storedBytes === undefined ? undefined : trace.readBytes / trace.storedBytes;
}

function timingOf(wallNs: number, events: number, batch: number): ReplayTiming {
  return { wallNs, eventsPerSecond: (events / wallNs) * 1e9, threads: 1, path: SCALAR, batch };
}
