// What a TLB costs: a capture replayed without one and with each, in one
// process, one after the other in every round, so that whatever else the
// machine does falls on all of them.
//
//   node bench/tlb-cost.mjs [TRACE] [--rounds 9] [--json] [--check 3]
//
// The engine alone is timed, on batches that were decoded before, on one
// thread. A ratio is the median of the rounds' ratios. `--check 3` ends with 1
// where one is above 3; bench/instructions.mjs has the check that no other load
// of the machine can disturb.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { applyPlan, createVm, EventBatch, OutcomeBatch, openTrace, planReplay, tlbPresets } from "gpalias";
import { main, root, say } from "../scripts/process.mjs";
import { median } from "./stats.mjs";

const SIZE = 65_536;
const STORM = join(root, "examples/storm-head-q35-2c-1g.faults.bin.br");

async function batchesOf(path) {
  const trace = await openTrace(path, { hash: false });
  const kept = [];
  for await (const batch of trace.batches({ size: SIZE, extra: true })) {
    const copy = new EventBatch(SIZE);
    copy.pushRows(batch, 0, batch.count);
    kept.push(copy);
  }
  return kept;
}

function nsPerEvent(plan, tlb, batches) {
  const outcomes = new OutcomeBatch(SIZE);
  const vm = createVm({ ...plan.config, tlb });
  applyPlan(vm, plan);
  const start = process.hrtime.bigint();
  for (const batch of batches) vm.runSync(batch, outcomes);
  const ns = Number(process.hrtime.bigint() - start);
  vm.close();
  return ns / batches.reduce((sum, { count }) => sum + count, 0);
}

/** Nanoseconds an event and the ratio to no TLB, by TLB. */
export async function measureTlbs(path, rounds) {
  const batches = await batchesOf(path);
  const plan = await planReplay(await openTrace(path, { hash: false }), {});
  const tlbs = [["off", false], ["default", true], ...tlbPresets.map(({ name }) => [name, name])];
  // One round to warm up.
  const all = Array.from({ length: rounds + 1 }, () =>
    tlbs.map(([, tlb]) => nsPerEvent(plan, tlb, batches)),
  ).slice(1);
  return tlbs.map(([name], i) => ({
    name,
    nsPerEvent: median(all.map((round) => round[i])),
    ratio: median(all.map((round) => round[i] / round[0])),
  }));
}

await main(async () => {
  const { values, positionals } = parseArgs({
    options: { rounds: { type: "string" }, json: { type: "boolean" }, check: { type: "string" } },
    allowPositionals: true,
  });
  const measured = await measureTlbs(positionals[0] ?? STORM, Number(values.rounds ?? 9));
  if (values.json) process.stdout.write(`${JSON.stringify({ schemaVersion: 1, tlbs: measured }, null, 2)}\n`);
  else
    for (const { name, nsPerEvent: ns, ratio } of measured)
      process.stdout.write(`${name.padEnd(18)}${ns.toFixed(0).padStart(6)} ns/event ${ratio.toFixed(2)}\n`);
  const dear = measured.filter(({ ratio }) => ratio > Number(values.check ?? Number.POSITIVE_INFINITY));
  for (const { name, ratio } of dear)
    say(`tlb-cost: ${name} costs ${ratio.toFixed(2)} times as much as no TLB`);
  return dear.length === 0 ? 0 : 1;
});
