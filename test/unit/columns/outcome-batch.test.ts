import { expect, test } from "vitest";
import { EventBatch } from "../../../lib/columns/event-batch.js";
import { OutcomeBatch, outcomeOf } from "../../../lib/columns/outcome-batch.js";
import { thrownBy } from "../thrown.js";

test("at builds one outcome in words", () => {
  const batch = new OutcomeBatch(2);
  batch.sptesChanged[1] = 4;
  batch.outcome[1] = 1;
  batch.level[1] = 2;
  batch.tablesRead[1] = 3;
  batch.flush[1] = 1;
  batch.flushedPages[1] = 512;
  batch.count = 2;
  expect(batch.at(1)).toEqual({
    result: "fixed",
    pageSize: "2M",
    tablesRead: 3,
    sptesChanged: 4,
    flush: "range",
    flushedPages: 512,
  });
});

test("a row that no run wrote is refused", () => {
  const batch = new OutcomeBatch(4);
  batch.count = 2;
  for (const row of [2, -1, 0.5]) expect(thrownBy(() => batch.at(row))).toBeInstanceOf(RangeError);
});

test("a block is 12 bytes a row, whatever the capacity", () => {
  for (const capacity of [1, 3, 64]) expect(new OutcomeBatch(capacity).buffer.byteLength).toBe(12 * capacity);
});

test.each([
  ["an event batch", new EventBatch(4, { extra: true }), 4 * 44],
  ["an outcome batch", new OutcomeBatch(4), 4 * 12],
])("transferring the block of %s leaves it where it is", (_, { buffer }, bytes) => {
  // Node 20 copies instead, later ones throw.
  let error: unknown;
  try {
    structuredClone(buffer, { transfer: [buffer] });
  } catch (thrown) {
    error = thrown;
  }
  expect(error === undefined || (error as Error).name === "DataCloneError").toBe(true);
  expect(buffer.byteLength).toBe(bytes);
  new Uint8Array(buffer)[3] = 7;
  expect(new Uint8Array(buffer)[3]).toBe(7);
});

test("an operation has no page size", () => {
  const raw = { outcome: 10, level: 0, tablesRead: 0, sptesChanged: 2, flush: 2, flushedPages: 0 };
  expect(outcomeOf(raw)).toEqual({
    result: "done",
    pageSize: undefined,
    tablesRead: 0,
    sptesChanged: 2,
    flush: "full",
    flushedPages: 0,
  });
});
