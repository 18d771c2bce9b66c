/** What the host brings on, with accesses at once to the memory that it is about. */
import fc from "fast-check";
import type { EventKind, ReferenceEvent } from "../oracle/reference/types.js";
import { homeFramesOf } from "./alias-rows.js";
import type { Step } from "./sequence.js";
import { aliases, type Draft, hvaRanges, issue, type World } from "./sequence-places.js";

const PAGE = 4096;
const PAGES_2M = 512;
const SMALL_PAGES = [1, 1, 2, 8, 64, PAGES_2M, PAGES_2M + 1];

function event(kind: EventKind, fields: Partial<ReferenceEvent> = {}): Step {
  return { kind: "event", event: { kind, gpa: 0, bytes: 0, access: 0, vcpu: 0, ...fields } };
}

/** Frames of the first slots that the host addresses are behind, or that are near. */
function gpasBehind({ slots, config }: World, hva: number): number[] {
  return slots
    .filter((slot) => hva >= slot.hva - PAGE && hva < slot.hva + slot.bytes + PAGE)
    .map((slot) => Math.max(slot.gpa + (hva - slot.hva), 0))
    .filter((gpa) => gpa / PAGE < homeFramesOf(config));
}

const touches = fc.array(
  fc.record({
    page: fc.constantFrom(-1, 0, 0, 1),
    alias: aliases,
    access: fc.integer({ min: 1, max: 7 }),
    vcpu: fc.nat({ max: 3 }),
  }),
  { maxLength: 4 },
);

type Touches = typeof touches extends fc.Arbitrary<infer T> ? T : never;

/** Accesses to what is behind the start of a range, and around it. */
function touched(world: World, hva: number, each: Touches): Step[] {
  return each.flatMap(({ page, alias, access, vcpu }) =>
    gpasBehind(world, hva + page * PAGE).map((gpa) =>
      event("access", {
        gpa: issue(world, Math.floor(gpa / PAGE), alias(world)) * PAGE,
        access,
        vcpu: vcpu % world.config.vcpus,
      }),
    ),
  );
}

const smallHvaRanges: typeof hvaRanges = fc
  .record({ range: hvaRanges, pages: fc.constantFrom(...SMALL_PAGES) })
  .map(({ range, pages }) => (world) => {
    const { gpa, bytes } = range(world);
    return { gpa, bytes: Math.min(bytes, pages * PAGE) };
  });

/** Memory is used, and somebody asks how much. */
export const ages = fc
  .record({
    range: fc.oneof(smallHvaRanges, hvaRanges),
    kinds: fc.array(fc.constantFrom<EventKind[]>("age", "age", "test-age"), { minLength: 1, maxLength: 3 }),
    before: touches,
    after: touches,
  })
  .map(
    ({ range, kinds, before, after }): Draft<Step[]> =>
      (world) => {
        const { gpa, bytes } = range(world);
        const asked = kinds.map((kind) => event(kind, { gpa, bytes }));
        return [...touched(world, gpa, before), ...asked, ...touched(world, gpa, after)];
      },
  );
