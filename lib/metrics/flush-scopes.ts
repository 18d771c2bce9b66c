/** Which kinds of events flushed TLBs, and how widely. */
import { EVENT_KINDS, FLUSH_SCOPES } from "../columns/layout.js";
import type { RowCount } from "../columns/row-counts.js";
import { defineMetric, type FlushesByScope, summed } from "./metric.js";

export default defineMetric({
  name: "flush-scopes",
  init: () => undefined,
  finish: (_, counts) => {
    const rows = counts.list();
    const byKind = EVENT_KINDS.map((kind, index) => [kind, scopesOf(rows, index)] as const);
    return { flushScopes: Object.fromEntries(byKind.filter(([, { range, full }]) => range + full > 0)) };
  },
});

function scopesOf(counts: readonly RowCount[], kind: number): FlushesByScope {
  const ofKind = counts.filter((count) => count.kind === kind);
  const [none = 0, range = 0, full = 0] = summed(ofKind, FLUSH_SCOPES.length, ({ flush }) => flush);
  return { none, range, full };
}
