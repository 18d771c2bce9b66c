import { describe, expect, test } from "vitest";
import { measured, median, quantile } from "../../../lib/bench/measure.js";
import type { Sides, Trial } from "../../../lib/bench/trial.js";
import { rejectionOf } from "../thrown.js";

/** Sides that take what they are told, one entry a turn, and note who was asked. */
function scripted(engine: number[], beside: number[], more: Partial<Sides> = {}) {
  const asked: string[] = [];
  const next = (name: string, times: number[]) => () => {
    asked.push(name);
    return times.shift() ?? 1e9;
  };
  const sides: Sides = {
    events: 1000,
    engine: next("engine", engine),
    beside: next("beside", beside),
    holds: () => true,
    ...more,
  };
  const trial: Trial = {
    name: "some-trial",
    what: "work",
    beside: "other work",
    unit: "event",
    bytes: 1,
    prepare: () => sides,
  };
  return { trial, asked };
}

const ms = (...times: number[]) => times.map((each) => each * 1e6);

describe("a trial's sides", () => {
  test("take turns, now one first and now the other", async () => {
    const { trial, asked } = scripted(ms(100, 100, 100), ms(100, 100, 100));
    await measured(trial, { pairs: 2 });
    expect(asked).toEqual(["engine", "beside", "beside", "engine", "engine", "beside"]);
  });

  test("are compared by their medians, the pair that warms up left out", async () => {
    const { trial } = scripted(ms(9000, 30, 20, 900), ms(25, 100, 1000, 100));
    const { nsPerEvent, floorNsPerEvent, ratio, pairs } = await measured(trial, { pairs: 3 });
    expect([nsPerEvent, floorNsPerEvent, pairs]).toEqual([30_000, 100_000, 3]);
    expect(ratio).toBeCloseTo(0.3);
  });

  test("go on for 20 ms a turn", async () => {
    const { trial, asked } = scripted([], [], {
      engine: () => {
        asked.push("engine");
        return 5e6;
      },
    });
    const { nsPerEvent } = await measured(trial, { pairs: 1 });
    expect(asked.filter((name) => name === "engine")).toHaveLength(2 * 4);
    expect(nsPerEvent).toBe(5000);
  });

  test("that a clock cannot tell from nothing end all the same", async () => {
    const { trial } = scripted([], [], { engine: () => 0, events: 1e6 });
    expect((await measured(trial, { pairs: 1 })).nsPerEvent).toBe(0);
  });

  test("have no result where they did other work, and are closed", async () => {
    let closed = 0;
    const { trial } = scripted([], [], {
      holds: () => false,
      close: () => {
        closed++;
      },
    });
    const error = await rejectionOf(measured(trial, { pairs: 1 }));
    expect(error.message).toContain("some-trial did other work");
    expect(closed).toBe(1);
  });

  test("stop between two turns when they are told to, and are closed", async () => {
    const stop = new AbortController();
    let closed = false;
    const { trial, asked } = scripted([], [], {
      close: () => {
        closed = true;
      },
    });
    const run = measured(trial, { pairs: 9, signal: stop.signal, onPair: () => stop.abort() });
    expect((await rejectionOf(run))["name"]).toBe("AbortError");
    expect([asked.length, closed]).toEqual([2, true]);
  });
});

test("one slow sample moves neither the median nor the quartiles", () => {
  expect(median([3, 1, 2, 1000, 2])).toBe(2);
  expect([quantile([3, 1, 2, 1000, 2], 0.25), quantile([3, 1, 2, 1000, 2], 0.75)]).toEqual([2, 3]);
  expect(median([4, 1])).toBe(2.5);
});
