/** Operations of the VMM, by kind. */
import { isInserted } from "../columns/event-batch.js";
import { EVENT_KINDS } from "../columns/layout.js";
import { defineMetric, occurred } from "./metric.js";

export default defineMetric({
  name: "operations",
  init: () => new Float64Array(EVENT_KINDS.length),
  add: (kinds, { kind, access, count }) => {
    for (let row = 0; row < count; row++) {
      const k = kind[row] as number;
      if (isInserted(k, access[row] as number)) continue;
      kinds[k] = (kinds[k] as number) + 1;
    }
  },
  finish: (kinds) => {
    const { access: _, end: __, ...operations } = occurred(EVENT_KINDS, kinds);
    return { operations };
  },
});
