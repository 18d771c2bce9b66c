/** Which kinds of events flushed TLBs, and how widely. */
import { EVENT_KINDS, FLUSH_SCOPES } from "../columns/layout.js";
import { defineMetric, type FlushesByScope } from "./metric.js";

const SCOPES = FLUSH_SCOPES.length;

export default defineMetric({
  name: "flush-scopes",
  init: () => new Float64Array(EVENT_KINDS.length * SCOPES),
  add: (counts, { kind, count }, { flush }) => {
    for (let row = 0; row < count; row++) {
      const cell = (kind[row] as number) * SCOPES + (flush[row] as number);
      counts[cell] = (counts[cell] as number) + 1;
    }
  },
  finish: (counts) => {
    const rows = EVENT_KINDS.map((kind, index) => [kind, scopesAt(counts, index)] as const);
    return { flushScopes: Object.fromEntries(rows.filter(([, { range, full }]) => range + full > 0)) };
  },
});

function scopesAt(counts: Float64Array, kind: number): FlushesByScope {
  const of = (scope: (typeof FLUSH_SCOPES)[number]) =>
    counts[kind * SCOPES + FLUSH_SCOPES.indexOf(scope)] as number;
  return { none: of("none"), range: of("range"), full: of("full") };
}
