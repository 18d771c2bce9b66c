// What must be true when all events are over: the engine's own counts against
// sums that were known before, and an audit of every table and entry.
import { Wrong } from "./feed.mjs";

function expectEqual(what, got, wanted) {
  const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (left !== right) throw new Wrong(`${what}: ${left}, and ${right} was expected`);
}

// From level 1 to that below the root; the roots are for the engine to know.
function tablesOf(vm) {
  const { byLevel } = vm.tables();
  return [1, 2, 3, 4].map((level) => byLevel[level]);
}

function expectFaults(name, vm, faultsOf) {
  let sum = 0;
  for (const [vcpu, faults] of faultsOf.entries()) {
    expectEqual(`${name}: faults of vCPU ${vcpu}`, vm.vcpuStats(vcpu).pf_taken, faults);
    sum += faults;
  }
  expectEqual(`${name}: faults of all vCPUs`, vm.stats().pf_taken, sum);
}

/** Throws what is wrong with the books of a guest. */
export function expectBooks(name, { vm, expected, faultsOf }) {
  expectEqual(`${name}: pages mapped`, vm.stats().pages_4k, expected.pages);
  expectEqual(`${name}: tables by level`, tablesOf(vm), expected.tables);
  expectEqual(`${name}: dirty pages taken`, vm.dirtyRounds().pages, expected.dirtyPages);
  expectFaults(name, vm, faultsOf);
  expectEqual(`${name}: violations`, vm.violations(), []);
}

/** An audit, which must find nothing. Milliseconds. */
export function expectSound(name, { vm }) {
  const start = performance.now();
  expectEqual(`${name}: findings of an audit`, vm.audit().findings, []);
  return performance.now() - start;
}
