/** How many threads there are is nobody's business but the clock's. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  type CompareOptions,
  type Comparison,
  compare,
  createVm,
  EventBatch,
  OutcomeBatch,
  openTrace,
  type Replay,
  replay,
} from "../../lib/index.js";
import { hasAddon } from "../unit/with-addon.js";

const MINUTES = 60_000;
const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));

const CAPTURES: readonly (readonly [string, string, CompareOptions])[] = [
  ["a boot's text", "boot-q35-2c-1g.kvm_page_fault.txt.br", {}],
  ["a boot's records", "boot-q35-2c-1g.faults.bin.br", { config: { alias: { preset: "bits:47" } } }],
  [
    "a guest with a bounce buffer",
    "fs-bounce-pc-2c-4g.faults.bin.br",
    { project: "bounce", config: { alias: { preset: "tdx47" } } },
  ],
  [
    "a storm through two views",
    "storm-head-q35-2c-1g.faults.bin.br",
    { project: "churn:3,1", config: { alias: { preset: "bits:47" }, flushProvider: "hyperv" } },
  ],
];

/** Threads, and rows of a batch. */
const SHAPES = [
  [2, 65_536],
  [3, 10_007],
  [8, 32_768],
  [1, 20_001],
] as const;

const timeless = (run: object): object => {
  const { timing: _, ...rest } = run as Replay;
  return rest;
};
const withoutTiming = ({ input, runs }: Comparison) => ({ input, runs: runs.map(timeless) });

describe.skipIf(!hasAddon)("a comparison of every pair", () => {
  test.each(CAPTURES)(
    "of %s is the same at every count of threads and size of batches",
    async (_, file, options) => {
      const trace = await openTrace(example(file), { hash: false });
      const expected = withoutTiming(await compare(trace, { ...options, threads: 1 }));
      for (const [threads, batchSize] of SHAPES) {
        const found = await compare(trace, { ...options, threads, batchSize });
        expect(withoutTiming(found)).toEqual(expected);
        for (const run of found.runs) {
          if ("timing" in run) expect(run.timing).toMatchObject({ threads, batch: batchSize });
        }
      }
    },
    5 * MINUTES,
  );
});

describe.skipIf(!hasAddon)("a replay", () => {
  test(
    "of one VM is the same at every count of threads and size of batches",
    async () => {
      const trace = await openTrace(example("boot-q35-2c-1g.faults.bin.br"), { hash: false });
      const played = async (threads: number, batchSize: number) => {
        using vm = createVm({ vcpus: 2 });
        vm.memslots.add({ gpa: 0, bytes: 2 ** 30 });
        return timeless(await replay(vm, trace, { threads, batchSize }));
      };
      const expected = await played(1, 65_536);
      for (const [threads, batchSize] of SHAPES) expect(await played(threads, batchSize)).toEqual(expected);
    },
    MINUTES,
  );
});

const PAGES = 4096;
const ROWS = 50_021;

/** Touches, then hits with a zap in their midst, and hits again. */
function aBatch(): EventBatch {
  const events = new EventBatch(ROWS);
  for (let page = 0; page < PAGES; page++) events.pushAccess(page * 4096, "write");
  for (let row = PAGES; row < ROWS; row++) {
    if (row === 30_000) events.pushOperation("zap", 0, 2 ** 20);
    else events.pushAccess(((row * 7919) % PAGES) * 4096, row % 2 === 0 ? "read" : "write");
  }
  return events;
}

describe.skipIf(!hasAddon)("a run with helpers", () => {
  test.each([
    ["none", "none"],
    ["stolen-bits", "bits:47"],
    ["precise", "tdx47"],
  ])("of %s under %s writes the columns of one without", async (strategy, preset) => {
    for (const mmu of ["tdp", "rmap"] as const) {
      const played = async (helpers: number) => {
        using vm = createVm({ mmu, alias: { strategy, preset } });
        vm.memslots.add({ gpa: 0, bytes: 2 ** 30 });
        const outcomes = new OutcomeBatch(ROWS);
        for (const _ of [1, 2]) await vm.run(aBatch(), outcomes, { helpers });
        return {
          columns: Buffer.from(outcomes.buffer).toString("base64"),
          stats: vm.stats(),
          tables: vm.tables(),
        };
      };
      const expected = await played(0);
      for (const helpers of [1, 2, 7]) expect(await played(helpers)).toEqual(expected);
    }
  });

  test.each([-1, 256, 0.5, "1"])("refuses %p of them", async (helpers) => {
    using vm = createVm();
    const run = vm.run(new EventBatch(1), new OutcomeBatch(1), { helpers: helpers as number });
    await expect(run).rejects.toMatchObject({ code: "ERR_CONFIG" });
  });
});
