/** Vectors of shadow roots that come and go: a list of operations, and what four statistics showed of each. */
import { type Check, flag, Malformed, u32, u64 } from "../malformed.js";
import { RootsVm } from "../mmuroots/roots-vm.js";
import { firstDifference, type OpListShape, opListOf } from "../op-list.js";
import type { VectorKind } from "../vector-kind.js";

/** How the three sorts of these vectors call themselves. */
const SORTS: readonly unknown[] = ["mix", "quirk", "recycle"];
const STATISTICS = 4;

const byte: Check = (value) => u32(value) && (value as number) < 256;

const SHAPE: OpListShape = {
  ops: {
    vm: [],
    vcpu: [u32],
    slot: [u32, u64, u64, u32, u64],
    sregs: [u64, u64, u64, u64, flag],
    cr3: [u64],
    cpuid: [byte],
    prefault: [u64, u64, u64],
    nr_mmu_pages: [u32],
    disable_quirks2: [u64],
    translate: [u64],
  },
  isAnswer,
  answer: "an outcome, four counts and at most one value",
};

const mmuroots: VectorKind = {
  name: "mmuroots",
  claims: ({ kind, ops }) => SORTS.includes(kind) && ops !== undefined,
  open: (addon) => {
    const vm = new RootsVm(addon);
    return {
      play: (record) => {
        const list = opListOf(record, SHAPE);
        checkVcpus(list.ops);
        return firstDifference(list, (op) => vm.perform(op));
      },
      close: () => vm.close(),
    };
  },
};

export default mmuroots;

function isAnswer(answer: unknown): boolean {
  const [outcome, counts, ...rest] = Array.isArray(answer) ? answer : [];
  const areCounts = Array.isArray(counts) && counts.length === STATISTICS && counts.every(u32);
  return typeof outcome === "string" && areCounts && rest.length <= 1;
}

/** A vCPU is there, or the next to be made. */
function checkVcpus(ops: readonly (readonly unknown[])[]): void {
  let count = 1;
  for (const [step, [name, n]] of ops.entries()) {
    if (name === "vm") count = 1;
    if (name !== "vcpu") continue;
    if ((n as number) > count) throw new Malformed(`a vCPU up to ${count} in ops[${step}]`);
    count = Math.max(count, (n as number) + 1);
  }
}
