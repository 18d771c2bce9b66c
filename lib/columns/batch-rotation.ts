/**
 * A few batches that take turns, so that a trace of any length takes constant
 * memory: one runs while the next is filled.
 */
import { EventBatch } from "./event-batch.js";

const WAYS = 2;

export interface BatchShape {
  /** Rows of a batch. */
  readonly size: number;
  /** Whether batches carry `time` and `rip`. */
  readonly extra: boolean;
}

/** Hands out the same batches in turn, emptied. */
export class BatchRotation {
  readonly #batches: readonly EventBatch[];
  #turn = 0;

  constructor({ size, extra }: BatchShape) {
    this.#batches = Array.from({ length: WAYS }, () => new EventBatch(size, { extra }));
  }

  /** The batch whose turn it is; what it held is gone. */
  next(): EventBatch {
    const batch = this.#batches[this.#turn++ % WAYS] as EventBatch;
    batch.reset();
    return batch;
  }
}
