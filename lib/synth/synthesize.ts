/**
 * A workload as a trace: what `replay` takes, with the memslots that go with
 * it, made while it is read.
 *
 * The events depend on the workload and its options alone, never on batches.
 */
import { BatchRotation } from "../columns/batch-rotation.js";
import { DEFAULT_BATCH, type EventBatch, MAX_BATCH } from "../columns/event-batch.js";
import { MmuError } from "../errors.js";
import { expectInteger, expectOneOf } from "../expect.js";
import type { BatchesOptions, Trace } from "../trace/trace.js";
import { NO_TOTALS, type TraceTotals } from "../trace/trace-format.js";
import { EventWriter } from "./event-writer.js";
import { GuestMemory, type SynthMemslot } from "./guest-memory.js";
import { resolveOptions, type SynthOptions } from "./options.js";
import { Random } from "./random.js";
import { workloads } from "./registry.js";
import type { Workload } from "./workload.js";
import type { WorkloadOptions } from "./workload-options.js";

/** A trace that is made up, and the machine that it is about. */
export interface Synthesis extends Trace {
  readonly workload: string;
  /** What was asked for, complete. */
  readonly options: WorkloadOptions;
  /** To be handed to `planReplay`, or to `vm.memslots.add` one by one. */
  readonly memslots: readonly SynthMemslot[];
}

/**
 * Makes up the trace of a workload. The same name and options give the same
 * events, everywhere and always.
 *
 * @throws (rejects) TypeError or RangeError with code `ERR_CONFIG` for a
 * workload that does not exist or options that it cannot have
 * @example
 * const trace = await synthesize("dirty-logging", { vcpus: 4, bytes: 2 ** 28 });
 * const plan = await planReplay(trace, { memslots: trace.memslots });
 */
export async function synthesize(name: string, options: SynthOptions = {}): Promise<Synthesis> {
  const all = await workloads();
  const names = all.map((workload) => workload.name);
  const workload = all[names.indexOf(expectOneOf("workload", name, names))] as Workload;
  return new SynthTrace(workload, resolveOptions(options, workload.defaults));
}

class SynthTrace implements Synthesis {
  readonly format = "synth";
  readonly compression = "none";
  readonly path = undefined;
  readonly storedBytes = undefined;
  readonly readBytes = 0;
  readonly rewindable = true;
  readonly hasOperations = true;
  readonly source: string;
  readonly options: WorkloadOptions;
  readonly #workload: Workload;
  readonly #memory: GuestMemory;
  #records = 0;

  constructor(workload: Workload, options: WorkloadOptions) {
    this.#workload = workload;
    this.options = options;
    this.source = `synth ${workload.name}`;
    this.#memory = new GuestMemory(options, workload.scattered ?? false);
  }

  get workload(): string {
    return this.#workload.name;
  }

  get memslots(): readonly SynthMemslot[] {
    return this.#memory.slots;
  }

  get totals(): TraceTotals {
    return { ...NO_TOTALS, records: this.#records };
  }

  batches({
    size = DEFAULT_BATCH,
    extra = false,
    signal,
  }: BatchesOptions = {}): AsyncIterableIterator<EventBatch> {
    const rotation = new BatchRotation({ size: expectInteger("size", size, 1, MAX_BATCH), extra });
    this.#records = 0;
    return this.#pass(rotation, signal);
  }

  sha256(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  startHash(): void {}

  async *#pass(rotation: BatchRotation, signal: AbortSignal | undefined): AsyncIterableIterator<EventBatch> {
    const { options } = this;
    const out = new EventWriter(rotation.next(), options.events);
    const random = new Random(options.seed);
    const events = this.#workload.events({ out, random, memory: this.#memory, options });
    for (let isDone = false; !isDone; ) {
      if (signal?.aborted)
        throw new MmuError("ERR_ABORTED", "making the trace was aborted", { cause: signal.reason });
      isDone = events.next().done === true || out.isOver;
      this.#records = out.events;
      const batch = out.take(rotation.next());
      if (batch.count > 0) yield batch;
    }
  }
}
