/**
 * How long a search may take, and who may end it: a budget, a signal. It lets
 * the event loop turn, so that a signal is heard, and says how far things are.
 */
import { setImmediate } from "node:timers/promises";
import { MmuError } from "../errors.js";

/** Between two turns of the loop; below what a person notices. */
const TURN_MS = 40;

/** Why a search ended before it was done. */
export type Ended = "budget" | "aborted";

/** Thrown through a search that has to end; whoever has the best so far catches it. */
export class OutOfTime extends Error {
  readonly ended: Ended;

  constructor(ended: Ended) {
    super(`the search ended by its ${ended}`);
    this.ended = ended;
  }
}

/** What to tell a caller of a search that ended with nothing to show; other errors are as they are. */
export function asRefusal(error: unknown, signal: AbortSignal | undefined): unknown {
  if (!(error instanceof OutOfTime)) return error;
  const why = error.ended === "budget" ? "its budget was used up" : "it was aborted";
  const message = `the search for a witness has nothing to show yet: ${why}`;
  return new MmuError("ERR_ABORTED", message, { cause: signal?.reason });
}

export interface WitnessProgress {
  /** Sequences that were tried. */
  readonly probes: number;
  /** Of the shortest that still shows the rule; while the trace is read for the first time, how many were read. */
  readonly events: number;
  /** Of the budget that is used. */
  readonly share: number;
}

export interface PaceOptions {
  readonly budgetMs: number;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: WitnessProgress) => void) | undefined;
}

export class Pace {
  readonly #options: PaceOptions;
  readonly #deadline: number;
  #turned = performance.now();
  #probes = 0;
  #replayed = 0;
  #best = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#deadline = performance.now() + options.budgetMs;
  }

  get probes(): number {
    return this.#probes;
  }

  /** Events that all probes have run together. */
  get replayed(): number {
    return this.#replayed;
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /** The shortest so far has so many events. */
  found(events: number): void {
    this.#best = events;
  }

  counted(events: number): void {
    this.#replayed += events;
  }

  /** Before each probe. @throws OutOfTime */
  async beforeProbe(): Promise<void> {
    this.#probes++;
    await this.turn();
  }

  /** Lets the loop turn, if it has not for a while. @throws OutOfTime */
  async turn(): Promise<void> {
    const now = performance.now();
    if (now - this.#turned < TURN_MS) return;
    const share = 1 - (this.#deadline - now) / this.#options.budgetMs;
    this.#options.onProgress?.({ probes: this.#probes, events: this.#best, share });
    await setImmediate();
    this.#turned = performance.now();
    if (this.#options.signal?.aborted) throw new OutOfTime("aborted");
    if (now > this.#deadline) throw new OutOfTime("budget");
  }
}
