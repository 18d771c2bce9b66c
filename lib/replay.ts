/**
 * Runs a trace through a VM: batches in, one result out.
 *
 * While one batch runs on the native pool, the next is decoded and the
 * outcomes of the one before are folded into metrics. It must not know
 * formats, nor what an outcome means.
 */
import { audited, expectAuditPeriod } from "./audited.js";
import { DEFAULT_BATCH, MAX_BATCH } from "./columns/event-batch.js";
import { expectInteger, expectKeys } from "./expect.js";
import { startTally } from "./metrics/registry.js";
import { chooseProjection, type Projecting, projected, startProjection } from "./replay-projection.js";
import { configOf, inputOf, type Replay, resultOf, roundsSince, withLearnt } from "./replay-result.js";
import { Lane, Runway } from "./runway.js";
import { expectThreads } from "./threads.js";
import type { Guess } from "./trace/infer-memslots.js";
import type { Trace } from "./trace/trace.js";
import type { Vm } from "./vm.js";

export type {
  Replay,
  ReplayConfig,
  ReplayInput,
  ReplayMemslot,
  ReplayTiming,
  ReplayViolation,
} from "./replay-result.js";
export { accountOf } from "./replay-result.js";

export interface ReplayOptions {
  /** Stops the replay with `ERR_ABORTED`; the VM stays usable. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called after each batch with the events applied so far, and with the share
   * of the file that was read, if its size is known.
   */
  readonly onProgress?: ((events: number, share: number | undefined) => void) | undefined;
  /**
   * Given the lines that a VM under `setTrace` printed, batch by batch; the replay waits for it. Batches are small
   * then, unless `batchSize` says otherwise, so that no line is lost.
   */
  readonly onTrace?: ((text: string) => Promise<void>) | undefined;
  /** Events of a batch: 1 to 2^24. @default 65536 */
  readonly batchSize?: number;
  /**
   * Threads that may be at work at once, 1 to 256: with 1, this one does everything, one batch after the other; with 2,
   * it decodes the next batch and counts what came of the last while another thread runs one. Nothing but `timing`
   * depends on it. Decompressing and hashing have threads of their own.
   * @default as many as there are cores
   */
  readonly threads?: number;
  /**
   * How accesses go to aliases: `as-recorded`; `home`, the alias where their memory is at first; a projection such
   * as `churn:3,1`; or `auto`, which is `home` under a private/shared preset unless the trace's own addresses carry
   * alias bits, and else `as-recorded`.
   * @default "auto"
   */
  readonly project?: string;
  /**
   * Audits the VM after every so many events and at the end, 0: only at the end; `violations` of the result has what was
   * found. See `auditEvery`. @default no audit
   */
  readonly audit?: number;
  /** What was concluded about the trace and not told; it becomes part of the result. @default [] */
  readonly guesses?: readonly Guess[];
}

const OPTION_KEYS = [
  "signal",
  "onProgress",
  "onTrace",
  "batchSize",
  "threads",
  "project",
  "audit",
  "guesses",
] as const;

/** One event may print half a million lines. */
const TRACED_BATCH = 512;

/**
 * Feeds every event of a trace to a VM, in order, and reports what came of it.
 *
 * The VM keeps its state: its statistics, leaves and violations are those of
 * its whole life, so use a new one for a new question.
 *
 * @throws (rejects) MmuError: `ERR_ABORTED`, `ERR_CLOSED`, `ERR_BUSY`,
 * `ERR_OUT_OF_MEMORY`, or `ERR_EVENT` for an event that this VM cannot have;
 * TraceError for a damaged trace. `values.applied` counts the events of the
 * trace that took effect. TypeError or RangeError with code `ERR_CONFIG` for a
 * bad option, a projection that the VM has no aliases for among them.
 */
export async function replay(vm: Vm, trace: Trace, options: ReplayOptions = {}): Promise<Replay> {
  expectKeys("replay", options, OPTION_KEYS);
  const period = expectAuditPeriod(options.audit);
  const batch = expectInteger("batchSize", options.batchSize ?? usualBatch(options), 1, MAX_BATCH);
  const threads = expectThreads(options.threads);
  const aliasing = { strategy: vm.config.alias.strategy, preset: vm.preset };
  const chosen = await chooseProjection(trace, aliasing, options.project, options.signal);
  const projecting = await startProjection(chosen, vm, trace);
  const config = configOf(vm, projecting.text, options.guesses ?? []);
  const lane = new Lane(vm, await startTally(), batch);
  trace.startHash();
  const roundsBefore = vm.dirtyRounds();
  const started = process.hrtime.bigint();
  await audited([vm], period, () => fly(lane, trace, projecting, { ...options, batchSize: batch, threads }));
  const wallNs = Number(process.hrtime.bigint() - started);
  const fields = lane.tally.finish();
  return resultOf(vm, withLearnt(config, trace), fields, {
    input: await inputOf(trace, fields.input),
    dirtyRounds: roundsSince(vm, roundsBefore),
    wallNs,
    threads,
    batch,
  });
}

function usualBatch({ onTrace }: ReplayOptions): number {
  return onTrace === undefined ? DEFAULT_BATCH : TRACED_BATCH;
}

type FlightOptions = ReplayOptions & { readonly batchSize: number; readonly threads: number };

async function fly(lane: Lane, trace: Trace, projecting: Projecting, options: FlightOptions): Promise<void> {
  const { signal, batchSize, threads, onProgress, onTrace } = options;
  const onFolded = (events: number) => onProgress?.(events, shareOf(trace));
  const onLanded = onTrace && (async () => onTrace(lane.vm.takeTrace()));
  const runway = new Runway([lane], { signal, threads, helpers: threads - 1, onFolded, onLanded });
  try {
    const batches = trace.batches({ size: batchSize, extra: true, signal });
    for await (const events of projected(batches, projecting, batchSize)) await runway.launch(events);
    await runway.land();
  } catch (error) {
    throw await runway.abandon(error);
  }
}

/** How much of the trace's file was read, if that is known. */
export function shareOf(trace: Trace): number | undefined {
  return trace.storedBytes === undefined ? undefined : trace.readBytes / trace.storedBytes;
}
