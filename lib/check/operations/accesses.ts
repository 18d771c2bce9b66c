/** A vCPU reads, writes or fetches from a page through an alias. */
import { formatGpa } from "../../address.js";
import { type CheckOperation, event, type OperationKind, PAGES, symmetryOf, VCPUS } from "../world.js";

const WORDS = [
  { access: 1, says: "reads" },
  { access: 2, says: "writes" },
  { access: 4, says: "fetches from" },
];

// Elsewhere a fetch is allowed wherever a read is.
const accesses: OperationKind = ({ aliases, isExecuteOnly }) => {
  const words = isExecuteOnly ? WORDS : WORDS.slice(0, 2);
  const operations: CheckOperation[] = [];
  for (let vcpu = 0; vcpu < VCPUS; vcpu++)
    for (const page of PAGES)
      for (const alias of aliases)
        for (const { access, says } of words) {
          const gpa = page + alias;
          operations.push({
            says: `vCPU ${vcpu} ${says} ${formatGpa(gpa)}`,
            steps: [event("access", { gpa, vcpu, access })],
            symmetry: symmetryOf(page),
          });
        }
  return operations;
};

export default accesses;
