/**
 * What the host, somebody who watches, or a vCPU by itself brings on. Ranges
 * begin and end a page off where they can, and something is accessed at once
 * where it matters.
 */
import fc from "fast-check";
import type { HostState } from "../oracle/reference/host-memory.js";
import type { EventKind, ReferenceEvent } from "../oracle/reference/types.js";
import { homeFramesOf } from "./alias-rows.js";
import type { Step } from "./sequence.js";
import { aliases, type Draft, frames, hvaRanges, issue, type World } from "./sequence-places.js";

/** What to ask the host for, or of KVM about its tables. */
export type HostRequest =
  | {
      readonly kind: "host-mapping";
      readonly hva: number;
      readonly bytes: number;
      /** Undefined: as it was at first. */
      readonly mapping:
        | { readonly state: HostState; readonly pfn?: number; readonly level: number }
        | undefined;
    }
  | { readonly kind: "mmu-pages"; readonly pages: number };

const PAGE = 4096;
/** Past the host addresses that an event can name. */
const HVA_END = 2 ** 52;
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

/** Something is accessed while the host takes memory back; it may say that it took other memory. */
export const windows = fc
  .record({
    range: smallHvaRanges,
    inside: touches,
    after: touches,
    end: fc.constantFrom("same", "same", "same", "same", "one off", "none"),
  })
  .map(
    ({ range, inside, after, end }): Draft<Step[]> =>
      (world) => {
        const { gpa, bytes } = range(world);
        const beside = Math.min(gpa + bytes, HVA_END - bytes);
        const last = event("hva-end", { gpa: end === "one off" ? beside : gpa, bytes });
        return [
          event("hva-begin", { gpa, bytes }),
          ...touched(world, gpa, inside),
          ...(end === "none" ? [] : [last]),
          ...touched(world, gpa, after),
        ];
      },
  );

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

/** Pages without alias bits, few enough to be taken one by one. */
const smallRanges = fc
  .record({ frame: frames, pages: fc.constantFrom(...SMALL_PAGES), edge: fc.constantFrom(0, 0, -1, 1) })
  .map(
    ({ frame, pages, edge }): Draft<{ start: number; pages: number }> =>
      (world) => {
        const home = homeFramesOf(world.config);
        const start = Math.min(Math.max(frame(world) + edge, 0), home - 1);
        return { start, pages: Math.min(pages, home - start) };
      },
  );

export const watchers = fc
  .record({
    range: smallRanges,
    kind: fc.constantFrom<EventKind[]>("write-track-add", "write-track-add", "write-track-remove"),
    uses: fc.array(fc.constantFrom(1, 2, 2, 4), { maxLength: 3 }),
  })
  .map(
    ({ range, kind, uses }): Draft<Step[]> =>
      (world) => {
        const { start, pages } = range(world);
        const used = uses.map((access) => event("access", { gpa: start * PAGE, access }));
        return [event(kind, { gpa: start * PAGE, bytes: pages * PAGE }), ...used];
      },
  );

export const prefaults = fc.record({ range: smallRanges, alias: aliases, vcpu: fc.nat({ max: 3 }) }).map(
  ({ range, alias, vcpu }): Draft<Step> =>
    (world) => {
      const { start, pages } = range(world);
      const gpa = issue(world, start, alias(world)) * PAGE;
      return event("prefault", { gpa, bytes: pages * PAGE, vcpu: vcpu % world.config.vcpus });
    },
);

/** Of one vCPU, without a range. */
export const ofVcpu = (kind: EventKind) =>
  fc.nat({ max: 3 }).map(
    (vcpu): Draft<Step> =>
      ({ config }) =>
        event(kind, { vcpu: vcpu % config.vcpus }),
  );

const STATES: readonly HostState[] = ["readwrite", "readwrite", "readonly", "none", "poison", "io", "io"];

/** Memory is taken back, comes back as something else, and is used. */
export const mappings = fc
  .record({
    range: smallHvaRanges,
    state: fc.option(fc.constantFrom(...STATES), { freq: 6 }),
    level: fc.constantFrom(1, 1, 2, 3),
    moves: fc.constantFrom(undefined, undefined, 0, 1),
    uses: touches,
  })
  .map(
    ({ range, state, level, moves, uses }): Draft<Step[]> =>
      (world) => {
        const { gpa: hva, bytes } = range(world);
        // Congruent with the address, and then a whole level or one page further.
        const pfn = moves === undefined ? undefined : 2 ** 18 + moves + ((hva / PAGE) % PAGES_2M);
        const isAligned = pfn === undefined || pfn % PAGES_2M ** (level - 1) === 0;
        const chosen = { state: state ?? "readwrite", level: isAligned ? level : 1 };
        const mapping = pfn === undefined ? chosen : { ...chosen, pfn };
        const request: HostRequest = {
          kind: "host-mapping",
          ...{ hva, bytes, mapping: state === null ? undefined : mapping },
        };
        return [
          event("hva-invalidate", { gpa: hva, bytes }),
          { kind: "host", request },
          ...touched(world, hva, uses),
        ];
      },
  );

/** Few enough to run out of, or one too few to be allowed; where a limit is to have a say at all. */
export const pageLimits = fc.constantFrom(63, 64, 64, 65, 70, 200).map(
  (pages): Draft<readonly Step[]> =>
    ({ config }) =>
      config.limitsPages ? [{ kind: "host", request: { kind: "mmu-pages", pages } }] : [],
);

/** One read in each of many tables, memory or not, so that page tables run out. */
export const sweeps = fc
  .record({ start: fc.nat({ max: 64 }), tables: fc.integer({ min: 16, max: 72 }), vcpu: fc.nat({ max: 1 }) })
  .map(
    ({ start, tables, vcpu }): Draft<readonly Step[]> =>
      ({ config }) => {
        if (!config.limitsPages) return [];
        const gpas = Array.from({ length: tables }, (_, index) => (start + index) * PAGES_2M * PAGE);
        return gpas
          .filter((gpa) => gpa < 2 ** config.addressBits)
          .map((gpa) => event("access", { gpa, access: 1, vcpu: vcpu % config.vcpus }));
      },
  );
