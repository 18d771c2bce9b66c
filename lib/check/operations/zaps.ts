/**
 * KVM zaps a page, as large as the host has it, or every root at once.
 *
 * Not a part of a huge page: kvm_zap_gfn_range() takes the whole leaf and asks
 * a range provider for the part alone (v6.16), with which goes what is cached
 * of the rest. Its callers there zap everything, or a page of KVM's own, which
 * is small.
 */
import { formatGpa, MiB } from "../../address.js";
import { event, type OperationKind, PAGE, PAGES, SLOT, symmetryOf } from "../world.js";

const zaps: OperationKind = ({ backing }) => [
  ...(backing === 1 ? PAGES : [SLOT.gpa]).map((page) => ({
    says: `KVM zaps ${formatGpa(page)}`,
    steps: [event("zap", { gpa: page, bytes: backing === 1 ? PAGE : 2 * MiB })],
    symmetry: backing === 1 ? symmetryOf(page) : ("none" as const),
  })),
  { says: "KVM zaps everything, fast", steps: [event("zap-all-fast")], symmetry: "none" },
];

export default zaps;
