/** KVM zaps a page, or every root at once. */
import { formatGpa } from "../../address.js";
import { event, type OperationKind, PAGE, PAGES, symmetryOf } from "../world.js";

const zaps: OperationKind = () => [
  ...PAGES.map((page) => ({
    says: `KVM zaps ${formatGpa(page)}`,
    steps: [event("zap", { gpa: page, bytes: PAGE })],
    symmetry: symmetryOf(page),
  })),
  { says: "KVM zaps everything, fast", steps: [event("zap-all-fast")], symmetry: "none" },
];

export default zaps;
