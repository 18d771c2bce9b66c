/** Operations of the VMM, by kind. */
import { EVENT_KINDS } from "../columns/layout.js";
import { defineMetric, occurred } from "./metric.js";

export default defineMetric({
  name: "operations",
  init: () => new Float64Array(EVENT_KINDS.length),
  add: (kinds, { kind, count }) => {
    for (let row = 0; row < count; row++) {
      const k = kind[row] as number;
      kinds[k] = (kinds[k] as number) + 1;
    }
  },
  finish: (kinds) => {
    const { access: _, end: __, ...operations } = occurred(EVENT_KINDS, kinds);
    return { operations };
  },
});
