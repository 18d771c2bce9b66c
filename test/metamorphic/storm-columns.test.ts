/**
 * The first 200,000 records of the storm, zaps and dirty rounds and all: what
 * each row came to must not depend on how the rows are cut into batches, nor
 * on the thread that runs them.
 */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  applyPlan,
  createVm,
  EventBatch,
  OutcomeBatch,
  openTrace,
  planReplay,
  type Trace,
  type Vm,
} from "../../lib/index.js";
import { findCapture } from "../support/capture.js";

const ROWS = 200_000;
const storm = findCapture("storm-q35-2c-1g.faults.bin.br");
if (storm === undefined) console.warn("skipped: the storm capture is not beside the checkout");

/** Outcome columns of a whole run, one after the other. */
interface Columns {
  readonly sptesChanged: Uint32Array;
  readonly outcome: Uint8Array;
  readonly level: Uint8Array;
  readonly tablesRead: Uint8Array;
}

async function firstRows(trace: Trace): Promise<EventBatch> {
  const all = new EventBatch(ROWS);
  for await (const batch of trace.batches()) {
    all.pushRows(batch, 0, Math.min(batch.count, ROWS - all.count));
    if (all.count === ROWS) break;
  }
  return all;
}

async function run(vm: Vm, all: EventBatch, size: number, sync: boolean): Promise<Columns> {
  const [events, outcomes] = [new EventBatch(size), new OutcomeBatch(size)];
  const columns = {
    sptesChanged: new Uint32Array(ROWS),
    outcome: new Uint8Array(ROWS),
    level: new Uint8Array(ROWS),
    tablesRead: new Uint8Array(ROWS),
  };
  for (let at = 0; at < ROWS; at += size) {
    const count = Math.min(size, ROWS - at);
    events.reset();
    events.pushRows(all, at, at + count);
    if (sync) vm.runSync(events, outcomes);
    else await vm.run(events, outcomes);
    for (const name of ["sptesChanged", "outcome", "level", "tablesRead"] as const) {
      columns[name].set(outcomes[name].subarray(0, count), at);
    }
  }
  return columns;
}

describe.skipIf(storm === undefined)("the first 200,000 records of the storm", () => {
  let rows: EventBatch;
  let vmFor: () => Vm;
  let whole: Columns;
  const vms: Vm[] = [];

  beforeAll(async () => {
    const path = fileURLToPath(storm as URL);
    const plan = await planReplay(await openTrace(path));
    rows = await firstRows(await openTrace(path));
    vmFor = () => {
      const vm = createVm(plan.config);
      applyPlan(vm, plan);
      vms.push(vm);
      return vm;
    };
    whole = await run(vmFor(), rows, 65_536, false);
  });
  afterAll(() => {
    for (const vm of vms) vm.close();
  });

  test.each([
    ["1,000 rows a batch, off the thread", 1_000, false],
    ["1,000 rows a batch, on the thread", 1_000, true],
    ["one row a batch, on the thread", 1, true],
  ] as const)("%s: the columns of 65,536 rows a batch, to the byte", async (_, size, sync) => {
    expect(rows.count).toBe(ROWS);
    const columns = await run(vmFor(), rows, size, sync);
    for (const name of ["sptesChanged", "outcome", "level", "tablesRead"] as const) {
      const differ = columns[name].findIndex((value, row) => value !== whole[name][row]);
      expect(differ, `first row of ${name} that differs`).toBe(-1);
    }
  });

  test("they hold every outcome that the storm has", () => {
    const seen = new Set(whole.outcome);
    expect(seen.size).toBe(4);
  });
});
