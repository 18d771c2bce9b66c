// One golden case, step by step, as plain data.
import { createVm, type Vm } from "../../lib/index.js";
import type { GoldenCase, GoldenStep } from "./cases.js";

/** Longer lists of leaves are recorded by their ends and their length. */
const MOST_LEAVES = 24;

/** What every step did, and what the VM holds at the end. */
export function runCase({ about, config, steps }: GoldenCase): unknown {
  using vm = createVm(config);
  const outcomes = steps.map((step) => ({ step: textOf(step), ...(perform(vm, step) as object) }));
  return { about, steps: outcomes, end: stateOf(vm) };
}

function perform(vm: Vm, step: GoldenStep): unknown {
  switch (step[0]) {
    case "slot":
      return { slot: vm.memslots.add(step[1]).id, generation: vm.generation() };
    case "access":
      return vm.access(step[1], step[2], { vcpu: step[3] });
    case "zap":
      return vm.zap(step[1], step[2]);
    case "zapAll":
      return vm.zapAll();
    case "takeDirtyLogs":
      return vm.takeDirtyLogs();
    case "setDirtyLogging":
      return { ...vm.memslots.get(step[1])?.setDirtyLogging(step[2]), generation: vm.generation() };
    case "delete":
      return { ...vm.memslots.get(step[1])?.delete(), generation: vm.generation() };
  }
}

function stateOf(vm: Vm): unknown {
  const { gpa, spte, level } = vm.leaves({ mmio: true });
  const rows = Array.from(
    gpa,
    (address, row) => `${hex(address)} level ${level[row]} ${hex(spte[row] ?? 0n)}`,
  );
  const dirty = Object.fromEntries([...vm.memslots].map((slot) => [slot.id, slot.dirtyPages]));
  // What KVM would show. How many bytes this engine takes for it is no behaviour.
  const { engineBytes: _, ...tables } = vm.tables();
  return { stats: vm.stats(), tables, leaves: shortened(rows), dirty };
}

function shortened(rows: readonly string[]): readonly string[] {
  if (rows.length <= MOST_LEAVES) return rows;
  const half = MOST_LEAVES / 2;
  return [...rows.slice(0, half), `${rows.length - MOST_LEAVES} more`, ...rows.slice(-half)];
}

function textOf([method, ...args]: GoldenStep): string {
  return [method, ...args.map((arg) => (typeof arg === "number" ? hex(arg) : JSON.stringify(arg)))].join(" ");
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
