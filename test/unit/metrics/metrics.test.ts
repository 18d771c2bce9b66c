import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { EventBatch } from "../../../lib/columns/event-batch.js";
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
        firstTime: 1,
        lastTime: 5,
      },
      outcomes: { hit: 1, fixed: 1 },
      operations: { "dirty-log-get": 2 },
    });
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
