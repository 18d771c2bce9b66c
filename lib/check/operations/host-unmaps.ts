/** The host begins to take a page back, or has finished: an MMU notifier's two ends. */
import { formatGpa } from "../../address.js";
import { event, hvaOf, type OperationKind, PAGE, PAGES, symmetryOf } from "../world.js";

const hostUnmaps: OperationKind = () =>
  PAGES.flatMap((page) =>
    (["hva-begin", "hva-end"] as const).map((kind) => ({
      says: `the host ${kind === "hva-begin" ? "begins to unmap" : "has unmapped"} the page behind ${formatGpa(page)}`,
      steps: [event(kind, { gpa: hvaOf(page), bytes: PAGE })],
      symmetry: symmetryOf(page),
    })),
  );

export default hostUnmaps;
