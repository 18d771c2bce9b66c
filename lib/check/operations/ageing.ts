/** The host asks whether pages were used, and forgets that they were: an MMU notifier's clear_flush_young. */
import { formatGpa } from "../../address.js";
import { event, hvaOf, type OperationKind, PAGE, PAGES, symmetryOf } from "../world.js";

// With A/D bits nothing but one bit changes, which takes no right away: not worth a world twice as large.
const ageing: OperationKind = ({ adBits }) => {
  if (adBits) return [];
  return PAGES.map((page) => ({
    says: `the host ages the page behind ${formatGpa(page)}`,
    steps: [event("age", { gpa: hvaOf(page), bytes: PAGE })],
    symmetry: symmetryOf(page),
  }));
};

export default ageing;
