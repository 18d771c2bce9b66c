/**
 * One trace under every alias strategy side by side.
 *
 * The trace is decoded once and projected once; every VM takes each batch, on
 * the native pool, before the next one is started. The baseline without
 * aliases takes the trace as it was recorded. It must not know what a strategy
 * does.
 */
import { setMaxListeners } from "node:events";
import { audited, expectAuditPeriod } from "./audited.js";
import { DEFAULT_BATCH, type EventBatch, MAX_BATCH } from "./columns/event-batch.js";
import { type Candidate, candidatesOf, configFor } from "./compare-runs.js";
import { named } from "./errors.js";
import { expectInteger, expectKeys } from "./expect.js";
import { startTally } from "./metrics/registry.js";
import { type Replay, type ReplayInput, shareOf } from "./replay.js";
import { applyPlan, type PlanOptions, planReplay, type ReplayPlan } from "./replay-plan.js";
import {
  AS_RECORDED,
  chooseProjection,
  type Projecting,
  projected,
  startProjection,
} from "./replay-projection.js";
import { configOf, inputOf, type ReplayConfig, resultOf, withLearnt } from "./replay-result.js";
import { Lane, Runway } from "./runway.js";
import { expectThreads, Turns } from "./threads.js";
import type { Trace } from "./trace/trace.js";
import { aliasPreset, configEngine, createVm, type Vm } from "./vm.js";

export interface CompareOptions extends PlanOptions {
  /** Names of strategies. @default all that there are, `none` first */
  readonly strategies?: readonly string[];
  /** Called after each batch, as for `replay`. */
  readonly onProgress?: ((events: number, share: number | undefined) => void) | undefined;
  /** Audits of every VM, as for `replay`. @default no audit */
  readonly audit?: number;
  /** Events of a batch: 1 to 2^24. @default 65536 */
  readonly batchSize?: number;
  /**
   * VMs that run at once, 1 to 256, as far as Node's pool has threads (`UV_THREADPOOL_SIZE`, 4); with 1, this thread does
   * everything. Nothing but `timing` depends on it.
   * @default as many as there are cores
   */
  readonly threads?: number;
}

/** A pair of strategy and flavour that cannot be made here, and why. */
export interface NotApplicable {
  readonly run: string;
  readonly notApplicable: string;
}

export type ComparedRun = Replay | NotApplicable;

/** What a trace came to under each strategy. */
export interface Comparison {
  readonly schemaVersion: 1;
  readonly input: ReplayInput;
  /** The baseline `none` first, then by name; flavour `tdp` before `rmap`. */
  readonly runs: readonly ComparedRun[];
}

const KEYS = [
  "strategies",
  "memslots",
  "dirtyLog",
  "project",
  "backing",
  "config",
  "signal",
  "onProgress",
  "audit",
  "batchSize",
  "threads",
] as const;

/**
 * Replays a trace under several strategies at once.
 *
 * `config` is what all runs share: `config.alias.preset`, and `config.mmu` for
 * one flavour only. A pair that the engine cannot make is listed with the
 * reason. One run that fails fails the comparison: the error's sentence begins
 * with its name, and nothing is left running.
 *
 * @throws (rejects) as `planReplay`, `createVm` and `replay` do; MmuError
 * `ERR_UNSUPPORTED` if a strategy that was asked for by name cannot be made
 * @example
 * const { runs } = await compare(await openTrace("boot.faults.bin.br"), {
 *   config: { alias: { preset: "tdx47" } },
 * });
 */
export async function compare(trace: Trace, options: CompareOptions = {}): Promise<Comparison> {
  expectKeys("compare", options, KEYS);
  const period = expectAuditPeriod(options.audit);
  const batchSize = expectInteger("batchSize", options.batchSize ?? DEFAULT_BATCH, 1, MAX_BATCH);
  const threads = expectThreads(options.threads);
  const candidates = candidatesOf(configEngine(), options.config ?? {}, options.strategies);
  const plan = await planFor(trace, options, candidates);
  const fleet = new Fleet(plan, batchSize);
  try {
    const runs: Run[] = [];
    for (const candidate of candidates) {
      if (candidate.notApplicable === undefined) runs.push(await fleet.add(candidate));
    }
    const projecting = await projectingFor(runs, plan, trace);
    const configs = runs.map(({ lane, isBaseline }) =>
      configOf(lane.vm, isBaseline ? AS_RECORDED : projecting.text, plan.guesses),
    );
    trace.startHash();
    const vms = runs.map(({ lane }) => lane.vm);
    await audited(vms, period, () => flyAll(runs, trace, projecting, { ...options, batchSize, threads }));
    const replays = await Promise.all(
      runs.map((run, index) =>
        resultFor(run, configs[index] as ReplayConfig, trace, { batch: batchSize, threads }),
      ),
    );
    return comparisonOf(candidates, replays);
  } finally {
    fleet.close();
  }
}

/** A run that takes part. */
interface Run {
  readonly lane: Lane;
  /** Whether it takes the trace as it was recorded, whatever the projection. */
  readonly isBaseline: boolean;
}

/** The VMs of a comparison, closed together. */
class Fleet {
  readonly #plan: ReplayPlan;
  readonly #batchSize: number;
  readonly #vms: Vm[] = [];

  constructor(plan: ReplayPlan, batchSize: number) {
    this.#plan = plan;
    this.#batchSize = batchSize;
  }

  async add(candidate: Candidate): Promise<Run> {
    const vm = createVm(configFor(this.#plan.config, candidate));
    this.#vms.push(vm);
    try {
      applyPlan(vm, this.#plan);
    } catch (error) {
      throw named(error, candidate.run);
    }
    const lane = new Lane(vm, await startTally(), this.#batchSize, candidate.run);
    return { lane, isBaseline: candidate.strategy === "none" };
  }

  close(): void {
    for (const vm of this.#vms) vm.close();
  }
}

// One plan for all. Which projection applies is asked for a strategy that has aliases.
async function planFor(
  trace: Trace,
  options: CompareOptions,
  candidates: readonly Candidate[],
): Promise<ReplayPlan> {
  const {
    strategies: _,
    onProgress: __,
    audit: ___,
    batchSize: ____,
    threads: _____,
    project,
    ...asked
  } = options;
  const plan = await planReplay(trace, { ...asked, project: AS_RECORDED });
  const applicable = candidates.filter(({ notApplicable }) => notApplicable === undefined);
  const strategy = applicable.find((candidate) => candidate.strategy !== "none")?.strategy ?? "none";
  const preset = aliasPreset(asked.config?.alias?.preset);
  return { ...plan, project: await chooseProjection(trace, { strategy, preset }, project, asked.signal) };
}

/** The baseline takes no part in the projection, so that without any other run there is none. */
async function projectingFor(runs: readonly Run[], plan: ReplayPlan, trace: Trace): Promise<Projecting> {
  const aliased = runs.find(({ isBaseline }) => !isBaseline);
  if (aliased === undefined) return { text: AS_RECORDED, projection: undefined };
  return startProjection(plan.project, aliased.lane.vm, trace);
}

type FlightOptions = CompareOptions & { readonly batchSize: number; readonly threads: number };

async function flyAll(
  runs: readonly Run[],
  trace: Trace,
  projecting: Projecting,
  { batchSize, threads, signal: asked, onProgress }: FlightOptions,
): Promise<void> {
  const signal = asked && forMany(asked);
  const isDirect = ({ isBaseline }: Run) => isBaseline || projecting.projection === undefined;
  const lanesOf = (some: readonly Run[]) => some.map(({ lane }) => lane);
  const onFolded = (events: number) => onProgress?.(events, shareOf(trace));
  const issued = runs.filter((run) => !isDirect(run));
  // One more than there are threads: it is at hand when a run ends, before this thread has looked.
  const shared = { signal, threads, turns: threads === 1 ? undefined : new Turns(threads + 1) };
  const direct = new Runway(lanesOf(runs.filter(isDirect)), { ...shared, ...(!issued[0] && { onFolded }) });
  const aliased = new Runway(lanesOf(issued), { ...shared, onFolded });
  try {
    const batches = tapped(trace.batches({ size: batchSize, extra: true, signal }), direct);
    for await (const events of projected(batches, projecting, batchSize)) await aliased.launch(events);
    await Promise.all([direct.land(), aliased.land()]);
  } catch (error) {
    await Promise.all([direct.settle(), aliased.settle()]);
    throw await (issued[0] ? aliased : direct).abandon(error);
  }
}

/** A signal that many runs may listen to: Node takes more than ten listeners for a leak. */
function forMany(signal: AbortSignal): AbortSignal {
  const own = AbortSignal.any([signal]);
  setMaxListeners(0, own);
  return own;
}

// The source fills a batch again only two later, and this one has landed by then.
async function* tapped(batches: AsyncIterable<EventBatch>, runway: Runway): AsyncGenerator<EventBatch> {
  for await (const events of batches) {
    await runway.launch(events);
    yield events;
  }
}

async function resultFor(
  { lane }: Run,
  config: ReplayConfig,
  trace: Trace,
  shape: { readonly batch: number; readonly threads: number },
): Promise<Replay> {
  const { vm, tally, busyNs } = lane;
  const fields = tally.finish();
  const input = await inputOf(trace, fields.input);
  return resultOf(vm, withLearnt(config, trace), fields, {
    input,
    dirtyRounds: vm.dirtyRounds(),
    wallNs: busyNs,
    ...shape,
  });
}

function comparisonOf(candidates: readonly Candidate[], replays: readonly Replay[]): Comparison {
  const results = new Map(replays.map((result) => [result.run, result]));
  // The one that says how much the projection inserted, if it did.
  const { input } = replays.find((result) => result.input.conversions > 0) ?? (replays[0] as Replay);
  const runs = candidates.map(({ run, notApplicable = "" }) => results.get(run) ?? { run, notApplicable });
  return { schemaVersion: 1, input, runs };
}
