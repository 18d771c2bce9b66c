/**
 * Random lives of a VM: its shape, its first memslots, and what happens to it.
 * Everything is biased to edges, where engines are wrong, and to coming back
 * to the same few pages, without which nothing is ever touched twice. Speaks
 * the words of the reference model and knows nothing of who plays a scenario.
 */
import fc from "fast-check";
import type { ReferenceConfig, ReferenceEvent, Region } from "../oracle/reference/types.js";
import { configsOf, type Pair } from "./alias-rows.js";
import { accesses, bursts, conversions, overAll, overRangeOf } from "./sequence-events.js";
import {
  ages,
  type HostRequest,
  mappings,
  ofVcpu,
  pageLimits,
  prefaults,
  sweeps,
  watchers,
  windows,
} from "./sequence-host.js";
import { type LogRequest, logRequests, openings } from "./sequence-logs.js";
import { type Draft, hvaRanges, ranges, slots } from "./sequence-places.js";
import { requests, slotNumbers } from "./sequence-slots.js";

/** What to ask of a memslot; what exists by then decides the exact request. */
export type SlotIntent =
  | { readonly kind: "create"; readonly region: Region }
  | { readonly kind: "delete" | "toggle-log" | "toggle-readonly" | "grow" | "repeat"; readonly slot: number }
  | { readonly kind: "move"; readonly slot: number; readonly gpa: number; readonly togglesLog: boolean };

export type Step =
  | { readonly kind: "event"; readonly event: ReferenceEvent }
  | { readonly kind: "memslot"; readonly intent: SlotIntent }
  | { readonly kind: "take-log"; readonly slot: number }
  | { readonly kind: "log"; readonly request: LogRequest }
  | { readonly kind: "host"; readonly request: HostRequest }
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
      opening: openings,
      steps: fc.array(steps(giants), { minLength: 1, maxLength: MAX_STEPS, size: "max" }),
    })
    .map(({ config, slots, opening, steps }) => {
      const world = { config, slots: [] as Region[] };
      for (const draft of slots) world.slots.push(draft(world));
      return { ...world, steps: [...opening, ...steps].flatMap((draft) => draft(world)) };
    });
}

/** A draft may come to several steps, or to none where the world has no use for them. */
type Steps = Draft<Step | readonly Step[]>;

const hostSteps: fc.WeightedArbitrary<Steps>[] = [
  { weight: 4, arbitrary: ages },
  { weight: 3, arbitrary: windows },
  { weight: 3, arbitrary: mappings },
  { weight: 3, arbitrary: watchers },
  { weight: 3, arbitrary: prefaults },
  { weight: 1, arbitrary: ofVcpu("vcpu-tlb-flush") },
  { weight: 2, arbitrary: ofVcpu("async-ready") },
  { weight: 1, arbitrary: overAll("nx-recover") },
  { weight: 1, arbitrary: pageLimits },
  { weight: 1, arbitrary: sweeps },
];

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
    { weight: 2, arbitrary: overRangeOf("dirty-log-clear", ranges) },
    { weight: 1, arbitrary: overAll("dirty-log-clear") },
    { weight: 1, arbitrary: overAll("dirty-ring-reset") },
    { weight: 4, arbitrary: logRequests },
    { weight: 2, arbitrary: overRangeOf("dirty-log-enable", ranges) },
    { weight: 1, arbitrary: overAll("dirty-log-enable") },
    { weight: 2, arbitrary: overRangeOf("dirty-log-disable", ranges) },
    { weight: 1, arbitrary: overAll("dirty-log-disable") },
    { weight: 1, arbitrary: overAll("end") },
    ...hostSteps,
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
