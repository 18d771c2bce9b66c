/**
 * Random lives of a VM: its shape, its first memslots, and what happens to it.
 * Everything is biased to edges, where engines are wrong, and to coming back
 * to the same few pages, without which nothing is ever touched twice. Speaks
 * the words of the reference model and knows nothing of who plays a scenario.
 */
import fc from "fast-check";
import type { EventKind, ReferenceConfig, ReferenceEvent, Region } from "../oracle/reference/types.js";
import { type Draft, frames, ranges, slots, type World } from "./sequence-places.js";

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

/** The events alone, for who changes no slots. */
export function eventsOf({ steps }: Scenario): ReferenceEvent[] {
  return steps.flatMap((step) => (step.kind === "event" ? [step.event] : []));
}

const configs: fc.Arbitrary<ReferenceConfig> = fc
  .record({
    addressBits: fc.oneof(fc.constantFrom(36, 39, 46, 47, 48, 49, 51, 52), fc.integer({ min: 36, max: 52 })),
    isFiveLevel: fc.boolean(),
    hostMore: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 16 })),
    vcpus: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ addressBits, isFiveLevel, hostMore, vcpus }) => ({
    addressBits,
    rootLevel: addressBits > 48 || isFiveLevel ? 5 : 4,
    hostMaxphyaddr: Math.min(addressBits + hostMore, 52),
    vcpus,
    policy: "none",
  }));

/**
 * Scenarios that shrink to few steps, few slots and low numbers. `giants`: slots of a gigabyte and more under
 * 1G pages; a split of one makes 262,144 leaves, so these are for few runs.
 */
export function scenarios({ giants = false } = {}): fc.Arbitrary<Scenario> {
  return fc
    .record({
      config: configs,
      slots: fc.array(slots(giants), { minLength: 1, maxLength: 6, size: "max" }),
      steps: fc.array(steps(giants), { minLength: 1, maxLength: MAX_STEPS, size: "max" }),
    })
    .map(({ config, slots, steps }) => {
      const world = { config, slots: [] as Region[] };
      for (const draft of slots) world.slots.push(draft(world));
      return { ...world, steps: steps.map((draft) => draft(world)) };
    });
}

function steps(giants: boolean): fc.Arbitrary<Draft<Step>> {
  return fc.oneof(
    { weight: 66, arbitrary: accesses },
    { weight: 6, arbitrary: overRange("zap") },
    { weight: 1, arbitrary: overAll("zap-all-fast") },
    { weight: 3, arbitrary: overRange("dirty-log-get") },
    { weight: 3, arbitrary: overAll("dirty-log-get") },
    { weight: 2, arbitrary: overRange("dirty-log-enable") },
    { weight: 1, arbitrary: overAll("dirty-log-enable") },
    { weight: 2, arbitrary: overRange("dirty-log-disable") },
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
    offset: fc.constantFrom(0, 8, 4095),
    access: fc.oneof(fc.constantFrom(1, 2), fc.integer({ min: 1, max: 7 })),
    vcpu: fc.nat({ max: 3 }),
  })
  .map(
    ({ frame, offset, access, vcpu }): Draft<Step> =>
      (world) =>
        event("access", { gpa: frame(world) * 4096 + offset, access, vcpu: vcpu % world.config.vcpus }),
  );

const overRange = (kind: EventKind) =>
  ranges.map(
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
  () => ({ flags: 4 }),
  () => ({ bytes: 5000 }),
  () => ({ bytes: 2 ** 43 }),
  () => ({ bytes: 0, slot: 7 }),
  () => ({ gpa: 4097 }),
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
