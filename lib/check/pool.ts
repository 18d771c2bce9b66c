/**
 * Worlds on as many threads as there are cores. Each thread has the next world
 * when it is done with one, and a native explorer of its own; what a thread
 * says is counted, nothing is shared.
 *
 * Without threads (`threads: 1`, or run from TypeScript sources, which a worker
 * cannot load) the same happens here, one slice between two turns of the loop.
 */
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { loadAddon } from "../native/addon.js";
import type { NativeCoverage } from "../native/addon-types.js";
import { type Explored, exploring } from "./explore-world.js";
import { NO_NOTEBOOK, notebookIn } from "./notebook.js";
import { type PlainError, revived } from "./plain-error.js";
import type { CheckBound, SmallWorld } from "./world.js";

/** What a worker says: how far it is, its answer, or what stopped it. */
export type Said =
  | { readonly is: "progress"; readonly coverage: NativeCoverage }
  | { readonly is: "answer"; readonly explored: Explored }
  | { readonly is: "error"; readonly error: PlainError };

export interface PoolOptions {
  readonly bound: CheckBound;
  readonly threads: number;
  /** Where to put aside what has been looked at. */
  readonly folder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of one world, by its place in the list; the last time when it is done. */
  onProgress(index: number, coverage: NativeCoverage): void;
}

export async function exploreAll(worlds: readonly SmallWorld[], options: PoolOptions): Promise<Explored[]> {
  const isCompiled = import.meta.url.endsWith(".js");
  const one = isCompiled && options.threads > 1 ? exploreInWorker : exploreHere;
  const stop = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  const answers: Explored[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < worlds.length; index = next++) {
      const answer = await one(worlds[index] as SmallWorld, index, { ...options, signal });
      answers[index] = answer;
      options.onProgress(index, answer);
    }
  };
  const seats = Array.from({ length: Math.max(1, Math.min(options.threads, worlds.length)) }, work);
  try {
    await Promise.all(seats);
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(seats);
    throw error;
  }
  return answers;
}

async function exploreHere(world: SmallWorld, index: number, options: PoolOptions): Promise<Explored> {
  const { bound, folder } = options;
  const notebook = folder === undefined ? NO_NOTEBOOK : notebookIn(folder, world, bound);
  const slices = exploring(loadAddon(), world, bound, notebook);
  for (let slice = slices.next(); ; slice = slices.next()) {
    if (slice.done) return slice.value;
    options.onProgress(index, slice.value);
    await setImmediate();
    options.signal?.throwIfAborted();
  }
}

async function exploreInWorker(world: SmallWorld, index: number, options: PoolOptions): Promise<Explored> {
  options.signal?.throwIfAborted();
  const worker = new Worker(new URL("worker.js", import.meta.url), {
    workerData: { world, bound: options.bound, folder: options.folder },
  });
  const onAbort = () => void worker.terminate();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await new Promise<Explored>((resolve, reject) => {
      worker.on("message", (said: Said) => {
        if (said.is === "progress") options.onProgress(index, said.coverage);
        else if (said.is === "answer") resolve(said.explored);
        else reject(revived(said.error));
      });
      worker.on("error", reject);
      worker.on("exit", () => reject(options.signal?.reason ?? new Error("a worker ended early")));
    });
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    await worker.terminate();
  }
}
