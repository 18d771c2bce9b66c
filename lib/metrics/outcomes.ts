/** How many accesses came to what. */
import { OUTCOMES, type OutcomeCode } from "../columns/layout.js";
import { defineMetric, occurred } from "./metric.js";

const DONE = OUTCOMES.indexOf("done");

export default defineMetric({
  name: "outcomes",
  init: () => new Float64Array(OUTCOMES.length),
  add: (counts, events, { outcome }) => {
    for (let row = 0; row < events.count; row++) {
      const code = outcome[row] as number;
      counts[code] = (counts[code] as number) + 1;
    }
  },
  // Operations are "done"; they are counted by kind, elsewhere.
  finish: (counts) => ({ outcomes: occurred(OUTCOMES.slice(0, DONE) as OutcomeCode[], counts) }),
});
