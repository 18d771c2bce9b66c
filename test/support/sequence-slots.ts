/** Requests about memslots: those that exist, new ones, and some with something wrong. */
import fc from "fast-check";
import type { Region } from "../oracle/reference/types.js";
import { homeFramesOf } from "./alias-rows.js";
import type { SlotIntent, Step } from "./sequence.js";
import { type Draft, frames, slots, type World } from "./sequence-places.js";

export const slotNumbers = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 65536, 65537);

export function requests(giants: boolean): fc.Arbitrary<Draft<Step>> {
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
      { weight: 2, arbitrary: withMemfd(giants) },
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
  () => ({ flags: 4 }),
  () => ({ flags: 4, memfd: { fd: 1, offset: 0 } }),
  () => ({ flags: 5, memfd: { fd: 0, offset: 0 } }),
  () => ({ flags: 4, memfd: { fd: 0, offset: 5000 } }),
  () => ({ flags: 4, memfd: { fd: -2, offset: 0 } }),
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

/** Slots whose private memory is a file's. */
function withMemfd(giants: boolean): fc.Arbitrary<Draft<SlotIntent>> {
  const file = { fd: fc.nat({ max: 1 }), offset: fc.constantFrom(0, 0, 4096, 2 ** 20) };
  return fc.record({ slot: slots(giants), memfd: fc.record(file) }).map(({ slot, memfd }) => (world) => {
    const region = slot(world);
    return { kind: "create", region: { ...region, bytes: Math.min(region.bytes, 2 ** 20), flags: 4, memfd } };
  });
}
