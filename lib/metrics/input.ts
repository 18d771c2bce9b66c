/** What the trace held: events by kind, vCPUs, the span of its clock. */
import { isInserted, KIND } from "../columns/event-batch.js";
import { EVENT_KINDS } from "../columns/layout.js";
import { defineMetric, occurred } from "./metric.js";

export default defineMetric({
  name: "input",
  init: () => ({
    kinds: new Float64Array(EVENT_KINDS.length),
    vcpus: 0,
    conversions: 0,
    firstTime: undefined as number | undefined,
    lastTime: 0,
  }),
  add: (state, { kind, access, vcpu, time, count }) => {
    if (count === 0) return;
    state.firstTime ??= time?.[0];
    state.lastTime = time?.[count - 1] ?? 0;
    for (let row = 0; row < count; row++) {
      const k = kind[row] as number;
      if (isInserted(k, access[row] as number)) {
        state.conversions++;
        continue;
      }
      state.kinds[k] = (state.kinds[k] as number) + 1;
      if (k === KIND.access && (vcpu[row] as number) >= state.vcpus) state.vcpus = (vcpu[row] as number) + 1;
    }
  },
  finish: ({ kinds, vcpus, conversions, firstTime = 0, lastTime }) => {
    const byKind = occurred(EVENT_KINDS, kinds);
    const events = kinds.reduce((sum, count) => sum + count, 0);
    const accesses = byKind.access ?? 0;
    return { input: { events, accesses, byKind, vcpus, conversions, firstTime, lastTime } };
  },
});
