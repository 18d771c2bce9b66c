/** The benchmarks as users run them: each trial's two sides in turns, one trial after the other. */
import { expectInteger, expectKeys } from "../expect.js";
import { benchMachine } from "./machine.js";
import { measured } from "./measure.js";
import { type Chosen, trialsCalled } from "./registry.js";
import type { Bench, SkippedTrial, TablesResult, TrialInfo, TrialResult } from "./result.js";
import { bytesOf, tablesOf } from "./tables.js";
import type { Trial } from "./trial.js";

/** Of what is free, so much is left to others. */
const SPARED = 0.1;
const MOST_PAIRS = 1001;

export interface BenchOptions {
  /** Trials, or families of them such as `hits`. @default all */
  readonly names?: readonly string[];
  /** Pairs of turns of each trial, an odd number for a median that was measured. 1 to 1001. @default 9 */
  readonly pairs?: number;
  /** Trials that take more bytes of memory are skipped. @default what is free, and a tenth spared */
  readonly memory?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BenchProgress) => void;
}

export interface BenchProgress {
  /** The trial at work. */
  readonly name: string;
  /** Pairs done, and pairs in all. */
  readonly done: number;
  readonly of: number;
}

/** Every trial that names pick, with the memory that it takes. @throws (rejects) as {@link bench} */
export async function benchTrials(names: readonly string[] = []): Promise<readonly TrialInfo[]> {
  const { trials, tables } = await trialsCalled(names);
  return [
    ...trials.map(({ name, what, beside, bytes }) => ({ name, what, beside, bytes })),
    ...tables.map((each) => ({
      name: each.name,
      what: `tables of ${each.what}`,
      beside: "KVM's own",
      bytes: bytesOf(each),
    })),
  ];
}

/**
 * Times the engine on this machine, beside floors and beside what scripts do without it. It takes the thread for seconds
 * at a time, and some trials more than 1 GiB of memory.
 *
 * @throws (rejects) RangeError with code `ERR_CONFIG` for a name that picks nothing, or an option out of its range; the
 * signal's reason; MmuError `ERR_OUT_OF_MEMORY`
 */
export async function bench(options: BenchOptions = {}): Promise<Bench> {
  expectKeys("options", options, ["names", "pairs", "memory", "signal", "onProgress"]);
  const pairs = expectInteger("pairs", options.pairs ?? 9, 1, MOST_PAIRS);
  const memory = expectInteger(
    "memory",
    options.memory ?? Math.floor(process.availableMemory() * (1 - SPARED)),
    0,
    Number.MAX_SAFE_INTEGER,
  );
  const chosen = await trialsCalled(options.names ?? []);
  const skipped = skippedOf(chosen, memory);
  const isRun = ({ name }: { name: string }) => !skipped.some((each) => each.name === name);
  const trials = await timed(chosen.trials.filter(isRun), pairs, options);
  const tables: TablesResult[] = [];
  for (const each of chosen.tables.filter(isRun)) {
    options.signal?.throwIfAborted();
    tables.push(tablesOf(each));
  }
  return { schemaVersion: 1, machine: benchMachine(), trials, tables, skipped };
}

async function timed(
  trials: readonly Trial[],
  pairs: number,
  { signal, onProgress }: BenchOptions,
): Promise<readonly TrialResult[]> {
  const results: TrialResult[] = [];
  // One more to warm up.
  const of = trials.length * (pairs + 1);
  let done = 0;
  for (const trial of trials) {
    const tell = () => onProgress?.({ name: trial.name, done, of });
    tell();
    const onPair = () => {
      done++;
      tell();
    };
    results.push(await measured(trial, { pairs, signal, onPair }));
  }
  return results;
}

function skippedOf({ trials, tables }: Chosen, memory: number): readonly SkippedTrial[] {
  const needs = [
    ...trials.map(({ name, bytes, lacks }) => ({ name, bytes, lacks })),
    ...tables.map((each) => ({ name: each.name, bytes: bytesOf(each), lacks: undefined })),
  ];
  return needs.flatMap(({ name, bytes, lacks }) => {
    if (lacks !== undefined) return [{ name, why: `it needs ${lacks}` }];
    if (bytes <= memory) return [];
    return [{ name, why: `it takes ${mib(bytes)} of memory, and may have ${mib(memory)}` }];
  });
}

const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20).toLocaleString("en-US")} MiB`;
