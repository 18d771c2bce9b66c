import { expect, test } from "vitest";
import { EventBatch } from "../../../lib/columns/event-batch.js";
import { createProjection } from "../../../lib/projections/create-projection.js";
import { projectBatches } from "../../../lib/projections/project-batches.js";
import { rejectionOf, thrownBy } from "../thrown.js";
import { TDX, XO } from "./contexts.js";

/** Batches of accesses to pages 0, 1, 2, ... of these lengths. */
async function* source(lengths: readonly number[], ended: () => void = () => {}) {
  let page = 0;
  try {
    for (const length of lengths) {
      const batch = new EventBatch(Math.max(length, 1));
      for (let row = 0; row < length; row++) batch.pushAccess(page++ * 4096, "write");
      yield batch;
    }
  } finally {
    ended();
  }
}

const SHAPE = { size: 4, extra: false };

test("batches are full but the last one, and two take turns", async () => {
  const seen: EventBatch[] = [];
  const counts: number[] = [];
  const projection = await createProjection("range:0-1M", XO);
  for await (const batch of projectBatches(source([3, 0, 6, 1]), projection, SHAPE)) {
    seen.push(batch);
    counts.push(batch.count);
  }
  expect(counts).toEqual([4, 4, 2]);
  expect(new Set(seen).size).toBe(2);
  expect(seen[2]).toBe(seen[0]);
});

test("a batch that runs is left alone until the one after the next is asked for", async () => {
  const projection = await createProjection("churn:1,1", TDX);
  let running: EventBatch | undefined;
  let held: number[] = [];
  for await (const batch of projectBatches(source([9, 9]), projection, SHAPE)) {
    // As a replay does: the one before lands, then this one starts.
    if (running !== undefined) {
      expect([...running.gpa]).toEqual(held);
      running.endRun();
    }
    batch.beginRun();
    [running, held] = [batch, [...batch.gpa]];
  }
});

test("an empty trace gives no batch", async () => {
  const batches = projectBatches(source([0]), await createProjection(undefined, TDX), SHAPE);
  expect((await batches.next()).done).toBe(true);
});

test("whoever stops early ends the source too", async () => {
  let isEnded = false;
  const trace = source([9, 9, 9], () => {
    isEnded = true;
  });
  for await (const _ of projectBatches(trace, await createProjection(undefined, TDX), SHAPE)) break;
  expect(isEnded).toBe(true);
});

test("an error of the source, or of the projection, arrives as it is", async () => {
  const failure = new Error("disk");
  async function* broken(): AsyncGenerator<EventBatch> {
    yield new EventBatch(1);
    throw failure;
  }
  const projection = await createProjection(undefined, TDX);
  expect(await rejectionOf(projectBatches(broken(), projection, SHAPE).next())).toBe(failure);
  async function* aliased() {
    const batch = new EventBatch(1);
    batch.pushAccess(2 ** 47, "read");
    yield batch;
  }
  const error = await rejectionOf(projectBatches(aliased(), projection, SHAPE).next());
  expect(error["code"]).toBe("ERR_TRACE");
});

test.each([0, 1.5, 2 ** 24 + 1])("a batch of %s rows is refused at once", async (size) => {
  const projection = await createProjection(undefined, TDX);
  const error = thrownBy(() => projectBatches(source([1]), projection, { size, extra: false }));
  expect(error["code"]).toBe("ERR_CONFIG");
});

test("columns that the trace has not are zero, also in a batch that held others", async () => {
  const projection = await createProjection("range:0-1M", XO);
  for await (const batch of projectBatches(source([40]), projection, { size: 40, extra: true })) {
    expect([...(batch.time ?? [1])].every((time) => time === 0)).toBe(true);
    batch.time?.fill(7);
    batch.reset();
    const rows = new EventBatch(40);
    for (let row = 0; row < 40; row++) rows.pushAccess(0, "read");
    projection.project(rows, 0, batch);
    expect(batch.time?.[39]).toBe(0);
  }
});
