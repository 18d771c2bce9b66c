/**
 * Puts a projection between whoever reads a trace and whoever runs it.
 *
 * What comes out follows the protocol of a trace's own batches: two take
 * turns, so one may run while the next is filled.
 */
import { BatchRotation, type BatchShape } from "../columns/batch-rotation.js";
import { type EventBatch, MAX_BATCH } from "../columns/event-batch.js";
import { expectInteger } from "../expect.js";
import type { Projection } from "./projection.js";

/**
 * The batches of a trace as the projection has them, each full but the last.
 * What a batch held is gone when the one after the next arrives.
 *
 * @throws RangeError or TypeError with code `ERR_CONFIG` for a bad size;
 * (rejects) as `projection.project` and as the trace itself
 */
export function projectBatches(
  batches: AsyncIterable<EventBatch>,
  projection: Projection,
  { size, extra }: BatchShape,
): AsyncGenerator<EventBatch> {
  const rotation = new BatchRotation({ size: expectInteger("size", size, 1, MAX_BATCH), extra });
  return projected(batches, projection, rotation);
}

async function* projected(
  batches: AsyncIterable<EventBatch>,
  projection: Projection,
  rotation: BatchRotation,
): AsyncGenerator<EventBatch> {
  let batch = rotation.next();
  for await (const source of batches) {
    let row = projection.project(source, 0, batch);
    while (batch.isFull) {
      yield batch;
      batch = rotation.next();
      row = projection.project(source, row, batch);
    }
  }
  if (batch.count > 0) yield batch;
}
