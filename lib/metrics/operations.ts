/** Operations of the VMM, by kind. */
import { EVENT_KINDS } from "../columns/layout.js";
import { defineMetric, occurred, summed } from "./metric.js";

export default defineMetric({
  name: "operations",
  init: () => undefined,
  finish: (_, counts) => {
    const own = counts.list().filter(({ inserted }) => !inserted);
    const byKind = summed(own, EVENT_KINDS.length, ({ kind }) => kind);
    const { access: _access, end: _end, ...operations } = occurred(EVENT_KINDS, byKind);
    return { operations };
  },
});
