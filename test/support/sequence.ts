/**
 * Random lives of a VM: its shape, its first memslots, and what happens to it.
 * Everything is biased to edges, where engines are wrong, and to coming back
 * to the same few pages, without which nothing is ever touched twice. Speaks
 * the words of the reference model and knows nothing of who plays a scenario.
 */
import fc from "fast-check";
import type { EventKind, ReferenceConfig, ReferenceEvent, Region } from "../oracle/reference/types.js";
import { aliasCountOf, configsOf, hasPrivateMemory, homeFramesOf, type Pair } from "./alias-rows.js";
import {
  aliases,
  type Draft,
  frames,
  hvaRanges,
  issue,
  ranges,
  slots,
  type World,
} from "./sequence-places.js";

/** What to ask of a memslot; what exists by then decides the exact request. */
export type SlotIntent =
  | { readonly kind: "create"; readonly region: Region }
  | { readonly kind: "delete" | "toggle-log" | "toggle-readonly" | "grow" | "repeat"; readonly slot: number }
  | { readonly kind: "move"; readonly slot: number; readonly gpa: number; readonly togglesLog: boolean };

export type Step =
  | { readonly kind: "event"; readonly event: ReferenceEvent }
  | { readonly kind: "memslot"; readonly intent: SlotIntent }
  | { readonly kind: "take-log"; readonly slot: number }
  /** Look at everything now, not only at the end. */
  | { readonly kind: "compare" };

export interface Scenario {
  readonly config: ReferenceConfig;
  /** Create requests, in order; some are refused. */
  readonly slots: readonly Region[];
  readonly steps: readonly Step[];
}

const MAX_STEPS = 120;
const PLAIN: Pair = { policy: "none", mmu: "tdp" };

/** The events alone, for who changes no slots. */
export function eventsOf({ steps }: Scenario): ReferenceEvent[] {
  return steps.flatMap((step) => (step.kind === "event" ? [step.event] : []));
}

/**
 * Scenarios that shrink to few steps, few slots and low numbers. `giants`: slots of a gigabyte and more under
 * 1G pages; a split of one makes 262,144 leaves, so these are for few runs.
 */
export function scenarios({ giants = false, pair = PLAIN } = {}): fc.Arbitrary<Scenario> {
  return fc
    .record({
      config: configsOf(pair),
      slots: fc.array(slots(giants), { minLength: 1, maxLength: 6, size: "max" }),
      steps: fc.array(steps(giants), { minLength: 1, maxLength: MAX_STEPS, size: "max" }),
    })
    .map(({ config, slots, steps }) => {
      const world = { config, slots: [] as Region[] };
      for (const draft of slots) world.slots.push(draft(world));
      return { ...world, steps: steps.flatMap((draft) => draft(world)) };
    });
}

/** A draft may come to several steps, or to none where the world has no use for them. */
type Steps = Draft<Step | readonly Step[]>;

function steps(giants: boolean): fc.Arbitrary<Steps> {
  return fc.oneof<fc.WeightedArbitrary<Steps>[]>(
    { weight: 55, arbitrary: accesses },
    { weight: 8, arbitrary: conversions },
    { weight: 3, arbitrary: bursts },
    { weight: 4, arbitrary: overRangeOf("hva-invalidate", hvaRanges) },
    { weight: 6, arbitrary: overRangeOf("zap", ranges) },
    { weight: 1, arbitrary: overAll("zap-all-fast") },
    { weight: 3, arbitrary: overRangeOf("dirty-log-get", ranges) },
    { weight: 3, arbitrary: overAll("dirty-log-get") },
    { weight: 2, arbitrary: overRangeOf("dirty-log-enable", ranges) },
    { weight: 1, arbitrary: overAll("dirty-log-enable") },
    { weight: 2, arbitrary: overRangeOf("dirty-log-disable", ranges) },
    { weight: 1, arbitrary: overAll("dirty-log-disable") },
    { weight: 1, arbitrary: overAll("end") },
    { weight: 5, arbitrary: requests(giants) },
    {
      weight: 4,
      arbitrary: slotNumbers.map(
        (slot): Draft<Step> =>
          () => ({ kind: "take-log", slot }),
      ),
    },
    { weight: 1, arbitrary: fc.constant<Draft<Step>>(() => ({ kind: "compare" })) },
  );
}

const slotNumbers = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 65536, 65537);

function event(kind: EventKind, fields: Partial<ReferenceEvent> = {}): Step {
  return { kind: "event", event: { kind, gpa: 0, bytes: 0, access: 0, vcpu: 0, ...fields } };
}

const accesses = fc
  .record({
    frame: frames,
    alias: aliases,
    offset: fc.constantFrom(0, 8, 4095),
    access: fc.oneof(fc.constantFrom(1, 2), fc.integer({ min: 1, max: 7 })),
    vcpu: fc.nat({ max: 3 }),
  })
  .map(
    ({ frame, alias, offset, access, vcpu }): Draft<Step> =>
      (world) =>
        event("access", {
          gpa: issue(world, frame(world), alias(world)) * 4096 + offset,
          access,
          vcpu: vcpu % world.config.vcpus,
        }),
  );

/** Memory becomes shared or private, and mostly the guest then uses it so. Elsewhere only the use is left. */
const conversions = fc
  .record({
    range: ranges,
    toPrivate: fc.boolean(),
    uses: fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
    vcpu: fc.nat({ max: 3 }),
  })
  .map(
    ({ range, toPrivate, uses, vcpu }): Draft<Step[]> =>
      (world) => {
        const { config } = world;
        const { gpa, bytes } = range(world);
        const alias = toPrivate || aliasCountOf(config) === 1 ? 0 : 1;
        const at = issue(world, gpa / 4096, alias) * 4096;
        const conversion = event("attributes", { gpa, bytes, access: toPrivate ? 1 : 0 });
        const used = uses.map((access) => event("access", { gpa: at, access, vcpu: vcpu % config.vcpus }));
        return [...(hasPrivateMemory(config) ? [conversion] : []), ...used];
      },
  );

/** A page written through two aliases, something that a flush must follow, and the page written again. */
const bursts = fc
  .record({
    frame: frames,
    alias: aliases,
    between: fc.constantFrom("dirty-log-get", "dirty-log-get", "dirty-log-enable", "zap"),
    vcpu: fc.nat({ max: 3 }),
  })
  .map(
    ({ frame, alias, between, vcpu }): Draft<Step[]> =>
      (world) => {
        const home = frame(world);
        const write = (at: number) =>
          event("access", {
            gpa: issue(world, home, at) * 4096,
            access: 2,
            vcpu: vcpu % world.config.vcpus,
          });
        const other = alias(world);
        const operation = event(between as EventKind, { gpa: home * 4096, bytes: 4096 });
        return [write(0), write(other), operation, write(other)];
      },
  );

const overRangeOf = (kind: EventKind, drafts: typeof ranges) =>
  drafts.map(
    (range): Draft<Step> =>
      (world) =>
        event(kind, range(world)),
  );

/** Without a range: the whole VM, or every slot. */
const overAll = (kind: EventKind) => fc.constant<Draft<Step>>(() => event(kind));

function requests(giants: boolean): fc.Arbitrary<Draft<Step>> {
  const create = slots(giants).map(
    (slot): Draft<SlotIntent> =>
      (world) => ({ kind: "create", region: slot(world) }),
  );
  return fc
    .oneof(
      { weight: 3, arbitrary: create },
      { weight: 2, arbitrary: spoiled(giants) },
      { weight: 5, arbitrary: toExisting },
      { weight: 2, arbitrary: moves },
    )
    .map(
      (intent): Draft<Step> =>
        (world) => ({ kind: "memslot", intent: intent(world) }),
    );
}

const toExisting = fc
  .record({
    kind: fc.constantFrom("delete", "toggle-log", "toggle-log", "toggle-readonly", "grow", "repeat"),
    slot: slotNumbers,
  })
  .map(
    (intent): Draft<SlotIntent> =>
      () =>
        intent as SlotIntent,
  );

const moves = fc.record({ slot: slotNumbers, frame: frames, togglesLog: fc.boolean() }).map(
  ({ slot, frame, togglesLog }): Draft<SlotIntent> =>
    (world) => ({ kind: "move", slot, gpa: frame(world) * 4096, togglesLog }),
);

type Fault = (world: World) => Partial<Region>;

const userEnd = ({ config }: World): number => 2 ** (config.hostMaxphyaddr <= 46 ? 47 : 56) - 4096;

const FAULTS: readonly Fault[] = [
  () => ({ slot: 32764 }),
  () => ({ slot: 2 * 65536 }),
  () => ({ flags: 8 }),
  () => ({ bytes: 5000 }),
  () => ({ bytes: 2 ** 43 }),
  () => ({ bytes: 0, slot: 7 }),
  () => ({ gpa: 4097 }),
  ({ config }) => ({ gpa: homeFramesOf(config) * 4096 }),
  ({ config }) => ({ gpa: 2 ** config.hostMaxphyaddr }),
  ({ config }) => ({ gpa: 2 ** config.hostMaxphyaddr - 4096, bytes: 8192 }),
  () => ({ hva: 4097 }),
  (world) => ({ hva: Math.min(userEnd(world) - 4096, 2 ** 53 - 4096), bytes: 8192 }),
];

/** Requests with something wrong, at times with two things, so that the order of the checks shows. */
function spoiled(giants: boolean): fc.Arbitrary<Draft<SlotIntent>> {
  return fc
    .record({ slot: slots(giants), faults: fc.subarray([...FAULTS], { minLength: 1, maxLength: 2 }) })
    .map(({ slot, faults }) => (world) => {
      const wrong = faults.map((fault) => fault(world));
      return { kind: "create", region: Object.assign({}, slot(world), ...wrong) as Region };
    });
}
