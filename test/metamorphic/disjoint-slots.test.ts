/** What happens to one memslot is nothing to another, whatever the order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ReferenceEvent, Region } from "../oracle/reference/types.js";
import { runEvents, vmWithSlots } from "../support/drive.js";
import { isLongRun, runSeed, seeded } from "../support/random.js";
import { leavesText } from "../support/vm-text.js";

const RUNS = isLongRun ? 4_000 : 200;
const PAGE = 4096;
const CONFIG = { addressBits: 48, rootLevel: 4, hostMaxphyaddr: 48, vcpus: 2, policy: "none" };

/** Neighbours: they share tables at every level, and a 2M region where the first ends inside one. */
function twoSlots(pages: number, flags: [number, number], backing: number): [Region, Region] {
  const [first, second] = [pages * PAGE, 4 * 512 * PAGE];
  const hva = 2 ** 40;
  return [
    { slot: 0, flags: flags[0], gpa: 0, bytes: first, hva, backing },
    { slot: 1, flags: flags[1], gpa: first, bytes: second, hva: hva + first, backing },
  ];
}

/** Events that concern this slot alone. Drawn offsets fall on few pages, so that they meet again. */
function eventsIn({ gpa, bytes }: Region): fc.Arbitrary<ReferenceEvent> {
  const pages = bytes / PAGE;
  const offset = fc
    .oneof(fc.constantFrom(0, pages - 1, 511, 512), fc.nat({ max: 5 }))
    .map((at) => at % pages);
  const kind = fc.constantFrom(
    "access",
    "access",
    "access",
    "access",
    "zap",
    "dirty-log-get",
    "dirty-log-enable",
  );
  return fc
    .record({ kind, offset, access: fc.integer({ min: 1, max: 7 }), pages: fc.constantFrom(1, 64, 512) })
    .map(({ kind, offset, access, pages: wanted }) => {
      const at = gpa + offset * PAGE;
      if (kind === "access") return { kind, gpa: at, bytes: 0, access, vcpu: 0 };
      return {
        kind,
        gpa: at,
        bytes: Math.min(wanted, pages - offset) * PAGE,
        access: 0,
        vcpu: 0,
      } as ReferenceEvent;
    });
}

const cases = fc
  .record({
    pages: fc.constantFrom(1, 512, 513, 1024 + 7),
    flags: fc.tuple(fc.constantFrom(0, 1, 2, 3), fc.constantFrom(0, 1, 2, 3)),
    backing: fc.constantFrom(2, 1),
    shuffle: fc.nat(),
  })
  .chain(({ pages, flags, backing, shuffle }) => {
    const slots = twoSlots(pages, flags, backing);
    const streams = fc.tuple(fc.array(eventsIn(slots[0])), fc.array(eventsIn(slots[1])));
    return fc.record({ slots: fc.constant(slots), streams, shuffle: fc.constant(shuffle) });
  });

/** Both streams in one, each in its own order. */
function interleave<T>(a: readonly T[], b: readonly T[], seed: number): { item: T; from: 0 | 1 }[] {
  const random = seeded(seed);
  const rest = [
    a.map((item) => ({ item, from: 0 as const })),
    b.map((item) => ({ item, from: 1 as const })),
  ] as const;
  const merged: { item: T; from: 0 | 1 }[] = [];
  while (rest[0].length + rest[1].length > 0) {
    const next = (random.once(2) ? rest[0].shift() : rest[1].shift()) ?? rest[0].shift() ?? rest[1].shift();
    if (next !== undefined) merged.push(next);
  }
  return merged;
}

test(`events on disjoint slots commute, seed ${runSeed()}`, () => {
  const property = fc.property(cases, ({ slots, streams: [a, b], shuffle }) => {
    const mixed = interleave(a, b, shuffle);
    using apart = vmWithSlots(CONFIG, slots);
    using together = vmWithSlots(CONFIG, slots);
    const expected = [runEvents(apart, a), runEvents(apart, b)] as const;
    const got = runEvents(
      together,
      mixed.map(({ item }) => item),
    );
    for (const from of [0, 1] as const) {
      const own = got.filter((_, i) => mixed[i]?.from === from);
      // Tables are shared, so who makes or meets one depends on the order; what an access comes to does not.
      expect(own.map(({ result, pageSize }) => [result, pageSize])).toEqual(
        expected[from].map(({ result, pageSize }) => [result, pageSize]),
      );
    }
    expect(leavesText(together)).toEqual(leavesText(apart));
    expect(Array.from(together.memslots, (slot) => slot.dirtyPages)).toEqual(
      Array.from(apart.memslots, (slot) => slot.dirtyPages),
    );
  });
  fc.assert(property, { seed: runSeed(), numRuns: RUNS });
});
