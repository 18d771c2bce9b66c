/**
 * Requests around dirty logs: capabilities, clears and their masks, rings, and
 * KVM's own writes. What exists by then decides the exact request.
 */
import fc from "fast-check";
import { homeFramesOf } from "./alias-rows.js";
import type { Step } from "./sequence.js";
import { type Draft, frames } from "./sequence-places.js";
import { slotNumbers } from "./sequence-slots.js";

/** Which bits of a clear are set. */
export type Mask = "all" | "none" | "even" | "first" | "ends";

export type LogRequest =
  | { readonly kind: "cap"; readonly cap: number; readonly flags: number; readonly argument: number }
  | {
      readonly kind: "clear";
      readonly slot: number;
      readonly first: number;
      /** `rest`: up to the end of the slot, if there is one. */
      readonly count: number | "rest";
      readonly mask: Mask;
      readonly copyFails: boolean;
    }
  | { readonly kind: "failing-get"; readonly slot: number }
  | { readonly kind: "memfd"; readonly bytes: number; readonly flags: number }
  | { readonly kind: "collect"; readonly vcpu: number; readonly most: number }
  | { readonly kind: "reset-rings" }
  | { readonly kind: "guest-write"; readonly gpa: number; readonly bytes: number; readonly vcpu: number }
  | { readonly kind: "guest-read"; readonly gpa: number; readonly bytes: number };

const MANUAL_PROTECT = 168;
const rare = (is: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: is.map(() => true) });

const asStep = (request: LogRequest): Step => ({ kind: "log", request });

const caps = fc.record({
  kind: fc.constant("cap" as const),
  cap: fc.constantFrom(MANUAL_PROTECT, MANUAL_PROTECT, MANUAL_PROTECT, 192, 223, 1),
  flags: fc.constantFrom(0, 0, 0, 1),
  argument: fc.constantFrom(0, 1, 2, 4, 4096, 5000, 3),
});

const clears = fc.record({
  kind: fc.constant("clear" as const),
  slot: slotNumbers,
  first: fc.constantFrom(0, 0, 0, 64, 448, 512, 1),
  count: fc.constantFrom<(number | "rest")[]>("rest", "rest", 64, 64, 128, 0, 65),
  mask: fc.constantFrom<Mask[]>("all", "all", "even", "first", "ends", "none"),
  copyFails: rare(fc.constant(true)),
});

const memfds = fc.record({
  kind: fc.constant("memfd" as const),
  bytes: fc.constantFrom(2 ** 21, 2 ** 21, 4096, 0, 5000),
  flags: fc.constantFrom(0, 0, 0, 1),
});

const gets = fc.record({ kind: fc.constant("failing-get" as const), slot: slotNumbers });
const collects = fc.record({
  kind: fc.constant("collect" as const),
  vcpu: fc.nat({ max: 3 }),
  most: fc.constantFrom(0, 0, 1, 3),
});

/** Of a few bytes, across a page, of many pages at once. */
const guestAccesses = fc
  .record({
    isRead: rare(fc.constant(true)),
    frame: frames,
    offset: fc.constantFrom(0, 4092),
    bytes: fc.constantFrom(1, 8, 8, 4096, 8192, 100 * 4096),
    vcpu: fc.nat({ max: 3 }),
  })
  .map(
    ({ isRead, frame, offset, bytes, vcpu }): Draft<Step> =>
      (world) => {
        const gpa = frame(world) * 4096 + offset;
        const end = homeFramesOf(world.config) * 4096;
        const request = { gpa, bytes: Math.min(bytes, end - gpa) };
        if (isRead) return asStep({ kind: "guest-read", ...request });
        return asStep({ kind: "guest-write", ...request, vcpu: vcpu % world.config.vcpus });
      },
  );

export const logRequests: fc.Arbitrary<Draft<Step>> = fc.oneof(
  { weight: 4, arbitrary: clears.map((request) => () => asStep(request)) },
  { weight: 4, arbitrary: guestAccesses },
  { weight: 1, arbitrary: caps.map((request) => () => asStep(request)) },
  { weight: 1, arbitrary: gets.map((request) => () => asStep(request)) },
  { weight: 2, arbitrary: memfds.map((request) => () => asStep(request)) },
  {
    weight: 2,
    arbitrary: collects.map(
      (request): Draft<Step> =>
        ({ config }) =>
          asStep({ ...request, vcpu: request.vcpu % config.vcpus }),
    ),
  },
  { weight: 2, arbitrary: fc.constant<Draft<Step>>(() => asStep({ kind: "reset-rings" })) },
);

/** How a VM's logs are kept, before anything else happens. */
export const openings: fc.Arbitrary<Draft<Step>[]> = fc
  .constantFrom(0, 0, 1, 3)
  .map((argument) =>
    argument === 0 ? [] : [() => asStep({ kind: "cap", cap: MANUAL_PROTECT, flags: 0, argument })],
  );
