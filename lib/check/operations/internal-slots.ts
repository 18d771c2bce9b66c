/** A vCPU reads KVM's own APIC-access page through an alias. */
import { formatGpa } from "../../address.js";
import { event, type OperationKind, VCPUS } from "../world.js";

const APIC = 0xfee0_0000;
const READ = 1;

const internalSlots: OperationKind = ({ aliases, internalSlots }) => {
  if (!internalSlots) return [];
  return Array.from({ length: VCPUS }, (_, vcpu) =>
    aliases.map((alias) => ({
      says: `vCPU ${vcpu} reads the APIC page at ${formatGpa(APIC + alias)}`,
      steps: [event("access", { gpa: APIC + alias, vcpu, access: READ })],
      symmetry: "none" as const,
    })),
  ).flat();
};

export default internalSlots;
