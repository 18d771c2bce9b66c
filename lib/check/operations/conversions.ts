/** The VMM makes a page private or shared: KVM_SET_MEMORY_ATTRIBUTES. */
import { formatGpa } from "../../address.js";
import { event, type OperationKind, PAGE, PAGES, symmetryOf } from "../world.js";

const PRIVATE = 1;

const conversions: OperationKind = ({ kind }) => {
  if (kind !== "private-shared") return [];
  return PAGES.flatMap((page) =>
    (["private", "shared"] as const).map((attribute) => ({
      says: `the VMM makes ${formatGpa(page)} ${attribute}`,
      steps: [event("attributes", { gpa: page, bytes: PAGE, access: attribute === "private" ? PRIVATE : 0 })],
      symmetry: symmetryOf(page),
    })),
  );
};

export default conversions;
