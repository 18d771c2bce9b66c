/** How many accesses came to what. */
import { OUTCOMES, type OutcomeCode } from "../columns/layout.js";
import { defineMetric, occurred, summed } from "./metric.js";

const DONE = OUTCOMES.indexOf("done");

export default defineMetric({
  name: "outcomes",
  init: () => undefined,
  // Operations are "done"; they are counted by kind, elsewhere.
  finish: (_, counts) => {
    const byOutcome = summed(counts.list(), OUTCOMES.length, ({ outcome }) => outcome);
    return { outcomes: occurred(OUTCOMES.slice(0, DONE) as OutcomeCode[], byOutcome) };
  },
});
