// Each strategy and flavour on a capture that was decoded and projected before.
// What is timed is the engine: a VM from its creation to its end, one batch
// after the other, on one thread.
//
//   aliases-storm-...      two views of each page in turn, under dirty logging
//   aliases-storm-tlb-...  the same with a TLB, and the rules that come with it
//   aliases-bounce-...     private and shared memory, nearly all of it new
import { join } from "node:path";
import { applyPlan, createVm, EventBatch, OutcomeBatch, openTrace, planReplay, strategies } from "gpalias";
import { projected, startProjection } from "../../dist/replay-projection.js";
import { root } from "../../scripts/process.mjs";

const SIZE = 65_536;
const BASELINE = "none/tdp";

const storm = {
  capture: "storm-head-q35-2c-1g",
  kind: "attribute",
  project: "churn:3,1",
  config: { alias: { preset: "bits:47" }, flushProvider: "hyperv" },
  // Faults that KVM took. Whoever has tables of its own for each view takes the same.
  faults: {
    none: 194_903,
    "v5-as-posted/tdp": 291_526,
    "v5-as-posted/rmap": 194_967,
    "v5-as-reviewed/tdp": 291_526,
    "v5-as-reviewed/rmap": 194_967,
    otherwise: 195_580,
  },
};

const GROUPS = [
  { ...storm, name: "storm" },
  {
    ...storm,
    name: "storm-tlb",
    config: { ...storm.config, tlb: true },
    // What it had cached wrongly was no fault: 2222 lost writes.
    faults: { ...storm.faults, "v5-as-posted/rmap": 194_967 - 2222 },
  },
  {
    name: "bounce",
    capture: "fs-bounce-pc-2c-4g",
    kind: "private-shared",
    project: "bounce",
    config: { alias: { preset: "tdx47" } },
    faults: {
      "none/rmap": 10_324,
      "stolen-bits/rmap": 67_469,
      "v5-as-posted/tdp": 234_394,
      "v5-as-posted/rmap": 67_469,
      "v5-as-reviewed/tdp": 234_394,
      "v5-as-reviewed/rmap": 67_469,
      otherwise: 81_805,
    },
  },
];

async function keptBatches(vm, trace, project) {
  const projecting = await startProjection(project, vm, trace);
  const kept = [];
  for await (const batch of projected(trace.batches({ size: SIZE, extra: true }), projecting, SIZE)) {
    const copy = new EventBatch(SIZE);
    copy.pushRows(batch, 0, batch.count);
    kept.push(copy);
  }
  return kept;
}

/** How to make the VM of a pair, and the batches that it takes. */
async function setUp({ capture, project, config }, strategy, mmu) {
  const trace = await openTrace(join(root, "examples", `${capture}.faults.bin.br`), { hash: false });
  const plan = await planReplay(trace, {
    ...(strategy !== "none" && { project }),
    config: { ...config, mmu, alias: { ...config.alias, strategy } },
  });
  const started = () => {
    const vm = createVm(plan.config);
    applyPlan(vm, plan);
    return vm;
  };
  const vm = started();
  const batches = await keptBatches(vm, trace, plan.project);
  vm.close();
  return { started, batches };
}

const trial = (group, strategy, mmu) => ({
  name: `aliases-${group.name}-${strategy}-${mmu}`,
  what: `${strategy}/${mmu} on ${group.capture}, ${group.config.alias.preset}, ${group.project}`,
  ...(`${strategy}/${mmu}` !== BASELINE && { beside: `aliases-${group.name}-none-tdp` }),
  async prepare() {
    const { started, batches } = await setUp(group, strategy, mmu);
    const outcomes = new OutcomeBatch(SIZE);
    const wanted = group.faults[`${strategy}/${mmu}`] ?? group.faults[strategy] ?? group.faults.otherwise;
    let taken;
    return {
      events: batches.reduce((sum, { count }) => sum + count, 0),
      run() {
        const vm = started();
        for (const batch of batches) vm.runSync(batch, outcomes);
        taken = vm.stats().pf_taken;
        vm.close();
      },
      verify() {
        if (taken !== wanted) throw new Error(`faults taken: ${taken}, expected ${wanted}`);
      },
    };
  },
});

const trialsOf = (group) =>
  strategies()
    .filter(({ presets }) => presets.includes(group.kind))
    .flatMap(({ name, flavours }) => flavours.map((mmu) => trial(group, name, mmu)));

export default GROUPS.flatMap(trialsOf);
