import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ATTRIBUTE_BITS, EventBatch, KIND } from "../../../lib/columns/event-batch.js";
import { OUTCOMES } from "../../../lib/columns/layout.js";
import { OutcomeBatch } from "../../../lib/columns/outcome-batch.js";
import { metrics, startTally } from "../../../lib/metrics/registry.js";

const HIT = OUTCOMES.indexOf("hit");
const FIXED = OUTCOMES.indexOf("fixed");
const DONE = OUTCOMES.indexOf("done");

/** Two accesses, a round that reaps 3 leaves, one that reaps none, and the end. */
function aBatch(): [EventBatch, OutcomeBatch] {
  const events = new EventBatch(8, { extra: true });
  events.pushAccess(0x1000, "write", 4);
  events.pushAccess(0x1000, "write", 2);
  events.pushOperation("dirty-log-get");
  events.pushOperation("dirty-log-get");
  events.pushOperation("end");
  events.time?.set([1, 2, 3, 4, 5, 99, 99, 99]);
  const outcomes = new OutcomeBatch(8);
  outcomes.outcome.set([FIXED, HIT, DONE, DONE, DONE, FIXED, FIXED, FIXED]);
  outcomes.sptesChanged.set([4, 0, 3, 0, 0, 9, 9, 9]);
  outcomes.count = 5;
  return [events, outcomes];
}

test("each file of the folder is a metric that has the file's name", async () => {
  const files = readdirSync(new URL("../../../lib/metrics/", import.meta.url));
  const names = files
    .map((file) => file.replace(/\.ts$/, ""))
    .filter((name) => !/^(metric|registry)$/.test(name));
  expect((await metrics()).map(({ name }) => name)).toEqual(names.sort());
});

describe("a tally", () => {
  test("counts rows up to the batch's count, and what is left over from before never", async () => {
    const tally = await startTally();
    tally.add(...aBatch());
    expect(tally.finish()).toEqual({
      input: {
        events: 5,
        accesses: 2,
        byKind: { access: 2, "dirty-log-get": 2, end: 1 },
        vcpus: 5,
        conversions: 0,
        firstTime: 1,
        lastTime: 5,
      },
      outcomes: { hit: 1, fixed: 1 },
      operations: { "dirty-log-get": 2 },
      flushScopes: {},
    });
  });

  test("conversions that a projection inserted are counted apart, and are no events", async () => {
    const events = new EventBatch(3);
    events.pushRow(KIND.attributes, 0x1000, 4096, 0, ATTRIBUTE_BITS.inserted);
    events.pushAccess(0x1000, "read");
    events.pushAttributes(0x1000, 4096, "private");
    const tally = await startTally();
    tally.add(events, new OutcomeBatch(3));
    const { input, operations } = tally.finish();
    expect(input).toMatchObject({ events: 2, conversions: 1, byKind: { access: 1, attributes: 1 } });
    expect(operations).toEqual({ attributes: 1 });
  });

  test("flushes are told by kind of event, kinds that made none left out", async () => {
    const events = new EventBatch(4);
    events.pushAccess(0, "read");
    for (const gpa of [0, 4096]) events.pushOperation("zap", gpa, 4096);
    events.pushOperation("zap-all-fast");
    const outcomes = new OutcomeBatch(4);
    outcomes.flush.set([0, 1, 2, 0]);
    const tally = await startTally();
    tally.add(events, outcomes);
    expect(tally.finish().flushScopes).toEqual({ zap: { none: 0, range: 1, full: 1 } });
  });

  test("two batches count as one twice as long, but for the first time", async () => {
    const tally = await startTally();
    tally.add(...aBatch());
    const [events, outcomes] = aBatch();
    events.time?.set([6, 7, 8, 9, 10]);
    tally.add(events, outcomes);
    expect(tally.finish()).toMatchObject({
      input: { events: 10, accesses: 4, firstTime: 1, lastTime: 10 },
      outcomes: { hit: 2, fixed: 2 },
      operations: { "dirty-log-get": 4 },
    });
  });

  test("tallies do not share their state", async () => {
    const [one, other] = [await startTally(), await startTally()];
    one.add(...aBatch());
    expect(other.finish().input.events).toBe(0);
  });

  test("outcomes come in one order, whatever came first", async () => {
    const [events, outcomes] = aBatch();
    outcomes.outcome.set([OUTCOMES.indexOf("emulate"), HIT]);
    const tally = await startTally();
    tally.add(events, outcomes);
    expect(Object.keys(tally.finish().outcomes)).toEqual(["hit", "emulate"]);
  });
});
