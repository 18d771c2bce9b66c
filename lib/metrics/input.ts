/** What the trace held: events by kind, vCPUs, the span of its clock. */
import { EVENT_KINDS } from "../columns/layout.js";
import { defineMetric, occurred, summed } from "./metric.js";

export default defineMetric({
  name: "input",
  init: () => ({ firstTime: undefined as number | undefined, lastTime: 0 }),
  add: (state, { time, count }) => {
    if (count === 0) return;
    state.firstTime ??= time?.[0];
    state.lastTime = time?.[count - 1] ?? 0;
  },
  finish: ({ firstTime = 0, lastTime }, counts) => {
    const all = counts.list();
    const own = all.filter(({ inserted }) => !inserted);
    const byKind = occurred(
      EVENT_KINDS,
      summed(own, EVENT_KINDS.length, ({ kind }) => kind),
    );
    const rows = (some: typeof all) => some.reduce((sum, count) => sum + count.rows, 0);
    const events = rows(own);
    const conversions = rows(all) - events;
    const accesses = byKind.access ?? 0;
    return { input: { events, accesses, byKind, vcpus: counts.vcpus, conversions, firstTime, lastTime } };
  },
});
