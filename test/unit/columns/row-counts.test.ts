/** Rows counted four at a time, beside the same counted one by one. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventBatch, isInserted, KIND } from "../../../lib/columns/event-batch.js";
import { EVENT_KINDS, FLUSH_SCOPES, OUTCOMES } from "../../../lib/columns/layout.js";
import { OutcomeBatch } from "../../../lib/columns/outcome-batch.js";
import { RowCounts } from "../../../lib/columns/row-counts.js";
import { runSeed } from "../../support/random.js";

const rare = (most: number) =>
  fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(most - 1) });
const rows = fc.array(
  fc.record({
    kind: rare(EVENT_KINDS.length),
    access: fc.nat(7),
    vcpu: fc.oneof(fc.nat(3), rare(65_536)),
    outcome: rare(OUTCOMES.length),
    flush: rare(FLUSH_SCOPES.length),
  }),
  { maxLength: 70 },
);

function filled(list: readonly Record<string, number>[], capacity: number): [EventBatch, OutcomeBatch] {
  const events = new EventBatch(capacity);
  const outcomes = new OutcomeBatch(capacity);
  // What was there before counts for nothing.
  outcomes.outcome.fill(3);
  events.vcpu.fill(99);
  list.forEach((row, at) => {
    events.pushRow(row["kind"] as number, 0, 0, row["vcpu"] as number, row["access"] as number);
    outcomes.outcome[at] = row["outcome"] as number;
    outcomes.flush[at] = row["flush"] as number;
  });
  return [events, outcomes];
}

function oneByOne(list: readonly Record<string, number>[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { kind = 0, access = 0, outcome = 0, flush = 0 } of list) {
    const key = [kind, isInserted(kind, access), outcome, flush].join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

test(`counts are those of the rows one by one, at every capacity, seed ${runSeed()}`, () => {
  const property = fc.property(
    fc.array(rows, { maxLength: 3 }),
    fc.integer({ min: 70, max: 73 }),
    (all, capacity) => {
      const counts = new RowCounts();
      const events = all.map((list) => counts.add(...filled(list, capacity)));
      const flat = all.flat();
      const found = counts.list().map(({ kind, inserted, outcome, flush, rows: n }) => {
        return [[kind, inserted, outcome, flush].join(), n] as const;
      });
      expect(new Map(found)).toEqual(oneByOne(flat));
      expect(events).toEqual(
        all.map((list) => list.filter(({ kind, access }) => !isInserted(kind, access)).length),
      );
      const vcpus = flat.filter(({ kind }) => kind === KIND.access).map(({ vcpu }) => vcpu + 1);
      expect(counts.vcpus).toBe(Math.max(0, ...vcpus));
    },
  );
  fc.assert(property, { seed: runSeed() });
});
