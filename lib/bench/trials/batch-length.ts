/** Hits in long batches, beside the same in short ones and one by one: what crossing into the engine costs. */
import { OutcomeBatch } from "../../columns/outcome-batch.js";
import type { Vm } from "../../vm.js";
import { BATCH, mappedVm } from "../mapped-vm.js";
import { randomPages, SHAPES, shuffled, writesOf } from "../pages.js";
import { cpuNs, type Sides, type Trial } from "../trial.js";

const [SHAPE] = SHAPES;

function sidesOf(besideFor: (vm: Vm, gpas: Float64Array) => () => void): Sides {
  const mapped = randomPages(SHAPE);
  const gpas = shuffled(mapped.slice(), 2);
  const vm = mappedVm(SHAPE, mapped);
  const whole = inBatches(BATCH)(vm, gpas);
  const beside = besideFor(vm, gpas);
  return {
    events: gpas.length,
    engine: () => cpuNs(whole),
    beside: () => cpuNs(beside),
    holds: () => vm.stats()["pf_taken"] === mapped.length,
    close: () => vm.close(),
  };
}

const inBatches = (size: number) => (vm: Vm, gpas: Float64Array) => {
  const batches = writesOf(gpas, size);
  const outcomes = new OutcomeBatch(size);
  return () => {
    for (const batch of batches) vm.runSync(batch, outcomes);
  };
};

const oneByOne = (vm: Vm, gpas: Float64Array) => () => {
  for (let i = 0; i < gpas.length; i++) {
    if (vm.access(gpas[i] as number, "write").result !== "hit") throw new Error("a hit was none");
  }
};

const trial = (name: string, beside: string, made: Parameters<typeof sidesOf>[0]): Trial => ({
  name: `${name}-${SHAPE.gib}GiB`,
  what: "vm.runSync over batches of 65,536 hits",
  beside,
  unit: "event",
  bytes: 160 * 2 ** 20,
  prepare: () => sidesOf(made),
});

export default [
  trial("hits-batches-of-1024", "vm.runSync over batches of 1,024", inBatches(1024)),
  trial("hits-batches-of-64", "vm.runSync over batches of 64", inBatches(64)),
  trial("hits-per-call", "vm.access for each, an object for each outcome", oneByOne),
] satisfies readonly Trial[];
