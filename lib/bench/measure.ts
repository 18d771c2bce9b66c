/**
 * Two sides in turns: pairs, of which now one and now the other goes first, so
 * that whatever else the machine does falls on both; and medians of them.
 */
import type { TrialResult } from "./result.js";
import type { Sides, Trial } from "./trial.js";

/** A side goes on for so long in each of its turns, so that the clock's resolution does not matter. */
const TURN_NS = 20e6;

export interface MeasureOptions {
  readonly pairs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after each pair, the one to warm up included. */
  readonly onPair?: () => void;
}

/** @throws Error if the sides did not do what they were timed for, and the signal's reason */
export async function measured(trial: Trial, options: MeasureOptions): Promise<TrialResult> {
  const sides = await trial.prepare();
  try {
    const pairs = await pairsOf(sides, options);
    if (!sides.holds()) throw new Error(`the trial ${trial.name} did other work than it was timed for`);
    return resultOf(trial, pairs);
  } finally {
    sides.close?.();
  }
}

interface Pair {
  readonly engine: number;
  readonly beside: number;
}

async function pairsOf(sides: Sides, { pairs, signal, onPair }: MeasureOptions): Promise<Pair[]> {
  const all: Pair[] = [];
  for (let i = 0; i <= pairs; i++) {
    // A signal is delivered between two turns of the event loop alone.
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    all.push(await pairOf(sides, i % 2 === 0));
    onPair?.();
  }
  return all.slice(1);
}

async function pairOf({ events, ...sides }: Sides, engineFirst: boolean): Promise<Pair> {
  const engine = () => nsPerEvent(() => sides.engine(), events);
  const beside = () => nsPerEvent(() => sides.beside(), events);
  if (engineFirst) return { engine: await engine(), beside: await beside() };
  const first = await beside();
  return { engine: await engine(), beside: first };
}

async function nsPerEvent(side: () => number | Promise<number>, events: number): Promise<number> {
  let [ns, rounds] = [0, 0];
  const most = 1 + Math.ceil(TURN_NS / events);
  for (; ns < TURN_NS && rounds < most; rounds++) ns += await side();
  return ns / (rounds * events);
}

function resultOf({ name, what, beside, unit, target }: Trial, pairs: readonly Pair[]): TrialResult {
  const nsPerEvent = median(pairs.map((pair) => pair.engine));
  const floorNsPerEvent = median(pairs.map((pair) => pair.beside));
  const ratios = pairs.map((pair) => pair.engine / pair.beside);
  return {
    ...{ name, what, beside, unit, nsPerEvent, floorNsPerEvent },
    ratio: nsPerEvent / floorNsPerEvent,
    quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    pairs: pairs.length,
    ...(target !== undefined && { target }),
  };
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Between two values where the share falls between them. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] as number;
  return low + ((sorted[Math.ceil(at)] as number) - low) * (at - Math.floor(at));
}
