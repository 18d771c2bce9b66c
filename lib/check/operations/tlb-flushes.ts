/** A vCPU flushes its own TLB: what a guest may do at any time, and what an exit may do for it. */
import { event, type OperationKind, VCPUS } from "../world.js";

const tlbFlushes: OperationKind = () =>
  Array.from({ length: VCPUS }, (_, vcpu) => ({
    says: `vCPU ${vcpu} flushes its TLB`,
    steps: [event("vcpu-tlb-flush", { vcpu })],
    symmetry: "none" as const,
  }));

export default tlbFlushes;
