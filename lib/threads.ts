/**
 * How many threads a replay may use, and whose turn it is.
 *
 * It must not know what is done in a turn.
 */
import { availableParallelism } from "node:os";
import { expectInteger } from "./expect.js";

const MOST = 256;

/** @throws RangeError or TypeError with code `ERR_CONFIG` */
export function expectThreads(threads: number | undefined): number {
  return expectInteger("threads", threads ?? Math.min(availableParallelism(), MOST), 1, MOST);
}

/** Lets at most so many at once, in the order in which they came. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(atOnce: number) {
    this.#free = atOnce;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
