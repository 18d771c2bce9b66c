/**
 * Passes over the memory of all vCPUs, as the selftests' guest code makes
 * them: each vCPU goes through its pages in order, and the vCPUs keep step.
 */
import type { Run } from "./workload.js";

/** Every page once, by each vCPU that uses it; a share of the accesses writes. */
export function* everyPage(run: Run, writes: number): Generator<void> {
  const { out, random, memory, options } = run;
  const { vcpus } = options;
  for (let index = 0; index < memory.pagesPerVcpu; index++) {
    for (let vcpu = 0; vcpu < vcpus; vcpu++) {
      if (out.isFull) yield;
      out.access(memory.gpa(memory.page(vcpu, index)), vcpu, random.chance(writes));
    }
  }
}

/** One access to each of `count` pages that `choose` picks among a vCPU's own. */
export function* somePages(
  run: Run,
  count: number,
  writes: number,
  choose: (index: number) => number,
): Generator<void> {
  const { out, random, memory, options } = run;
  for (let index = 0; index < count; index++) {
    for (let vcpu = 0; vcpu < options.vcpus; vcpu++) {
      if (out.isFull) yield;
      out.access(memory.gpa(memory.page(vcpu, choose(index))), vcpu, random.chance(writes));
    }
  }
}

type Operation = Parameters<Run["out"]["operation"]>[0];

/** One operation, about everything unless a range is given. */
export function* operation({ out }: Run, kind: Operation, start = 0, bytes = 0): Generator<void> {
  if (out.isFull) yield;
  out.operation(kind, start, bytes);
}

/** One operation for each slot, over the host's addresses of it. */
export function* everySlotHva(run: Run, kind: Operation): Generator<void> {
  for (const { hva, bytes } of run.memory.slots) yield* operation(run, kind, hva, bytes);
}
