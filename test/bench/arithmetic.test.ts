// What the benches conclude from figures, on figures with known answers.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, test } from "vitest";
import { root } from "../support/source-graph.js";

// Untyped: the bench scripts are JavaScript, outside the compiled program.
const load = (name: string) => import(pathToFileURL(join(root, "bench", name)).href);
const { median, spread } = await load("stats.mjs");
const { filterFor, ROWS, trialsOf } = await load("format-rows.mjs");
const { regressions, rowsOf, tooDear, tooHungry } = await load("instructions.mjs");

const iteration = (run_name: string, nsPerItem: number, more = {}) => {
  return { run_name, run_type: "iteration", items_per_second: 1e9 / nsPerItem, ...more };
};
const aggregate = (run_name: string) => ({ run_name, run_type: "aggregate", items_per_second: 1 });

describe("medians", () => {
  test("one slow sample moves neither the median nor the spread", () => {
    expect(median([3, 1, 2, 1000, 2])).toBe(2);
    expect(spread([3, 1, 2, 1000, 2])).toBe(0.5);
    expect(median([4, 1])).toBe(2.5);
  });
});

describe("ratios of table formats", () => {
  const [row] = ROWS;

  test("a ratio divides the medians of iterations and ignores aggregates", () => {
    const times = (name: string, ns: number[]) => ns.map((each) => iteration(name, each));
    const benchmarks = [
      ...times(row.bench, [20, 30, 900]),
      ...times(row.floor, [10, 1, 10]),
      aggregate(row.bench),
    ];
    const [trial] = trialsOf(ROWS, { benchmarks });
    expect(trial.nsPerEvent).toBeCloseTo(30);
    expect(trial.ratio).toBeCloseTo(3);
    expect(trial).toMatchObject({ name: row.name });
  });

  test("a row without its floor, or with a skipped one, is left out", () => {
    const skipped = iteration(row.floor, 1, { error_occurred: true });
    expect(trialsOf([row], { benchmarks: [iteration(row.bench, 1)] })).toEqual([]);
    expect(trialsOf([row], { benchmarks: [iteration(row.bench, 1), skipped] })).toEqual([]);
  });

  test("a filter picks the row's two benchmarks and nothing whose name contains theirs", () => {
    const insert = ROWS.find(({ bench }: { bench: string }) => bench.startsWith("Insert<"));
    const filter = new RegExp(filterFor([insert]));
    expect([insert.bench, insert.floor].every((name) => filter.test(name))).toBe(true);
    expect(filter.test(`${insert.bench}x`)).toBe(false);
    // POSIX knows fewer escapes than JavaScript, so names have to need none.
    const names: string[] = ROWS.flatMap((each: { bench: string; floor: string }) => [
      each.bench,
      each.floor,
    ]);
    expect(names.filter((name) => !/^[\w<>/-]+$/.test(name))).toEqual([]);
  });
});

describe("instruction counts", () => {
  test("a workload past the allowance is named, one within it and a new one are not", () => {
    const baseline = { hit: 100, touch: 100 };
    expect(regressions({ hit: 105, touch: 106, zap: 7 }, baseline, 5)).toEqual([
      "touch: 106 instructions/event, 100 in the baseline",
    ]);
  });

  test("a workload that heeds a choice of path is counted on both, any other once", () => {
    const rows: { name: string; env: object }[] = rowsOf("hit 10 replay\nzap-all 10 -\ndecode-text 5 trace");
    expect(rows.map(({ name }) => name)).toEqual([
      ...["hit/avx2", "hit/portable", "zap-all", "decode-text/avx2", "decode-text/portable"],
    ]);
    expect(rows.map(({ env }) => Object.entries(env).join())).toEqual([
      ...["GPALIAS_REPLAY_PATH,avx2", "GPALIAS_REPLAY_PATH,portable", ""],
      ...["GPALIAS_TRACE_PATH,avx2", "GPALIAS_TRACE_PATH,portable"],
    ]);
  });

  test("a workload that must not ask for memory is named if it does, any other if it asks more often", () => {
    const now = { "hit/avx2": 0.001, "hit/portable": 0, "zap-all": 0.2, "dirty-round": 0.1, "new-one": 7 };
    expect(tooHungry(now, { "zap-all": 0.1, "dirty-round": 0.1 }, ["hit"])).toEqual([
      "hit/avx2: memory is asked for 0.001 times an event",
      "zap-all: memory is asked for 0.2 times an event",
    ]);
  });

  test("a workload that costs too much beside another is named, and one that was not counted", () => {
    const limits = { tlb: { beside: "storm", times: 3 }, links: { beside: "storm", times: 3 } };
    expect(tooDear({ storm: 100, tlb: 300, links: 301 }, limits)).toEqual([
      "links: 3.01 times the instructions of storm, at most 3 are allowed",
    ]);
    expect(tooDear({ storm: 100, tlb: 300 }, limits)).toHaveLength(1);
  });
});
