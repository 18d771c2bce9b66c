/** Everything that can be asked of a VM, as one text: that two are equal shows that nothing has happened. */
import type { Vm } from "../../lib/index.js";

/** `addresses`: where the per-page questions are asked. */
export function wholeVm(vm: Vm, addresses: readonly number[]): string {
  const plain = (_: string, value: unknown): unknown => {
    if (typeof value === "bigint") return `0x${value.toString(16)}`;
    return ArrayBuffer.isView(value) ? Array.from(value as unknown as Iterable<number | bigint>) : value;
  };
  const slots = [...vm.memslots].map(
    ({ id, asId, gpa, bytes, hva, backing, readonly, dirtyLogging, dirtyPages }) => {
      return { id, asId, gpa, bytes, hva, backing, readonly, dirtyLogging, dirtyPages };
    },
  );
  const pages = addresses.map((gpa) => [vm.walk(gpa), vm.rmap(gpa), vm.rmapCount(gpa), vm.isPrivate(gpa)]);
  const vcpus = Array.from({ length: vm.config.vcpus }, (_, vcpu) => vm.vcpuStats(vcpu));
  const all = {
    slots,
    pages,
    vcpus,
    leaves: vm.leaves({ mmio: true }),
    leafCounts: vm.leafCounts(),
    stats: vm.stats(),
    tables: vm.tables(),
    tableList: vm.tableList(),
    flushes: vm.flushes(),
    violations: vm.violations(),
    advisories: vm.advisories(),
    judged: vm.judged(),
    invalidation: vm.invalidation(),
    coexisting: vm.coexisting,
    conversions: vm.conversionsOnExit,
    rounds: vm.dirtyRounds(),
    generations: [0, 1].map((asId) => generationOf(vm, asId)),
    trace: vm.takeTrace(),
  };
  return JSON.stringify(all, plain);
}

/** Of an address space that not every VM has. */
function generationOf(vm: Vm, asId: number): number | undefined {
  try {
    return vm.generation(asId);
  } catch {
    return undefined;
  }
}
