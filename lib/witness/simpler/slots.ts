/** Less memory: slots that nobody needs go, the others shrink to what is used of them, and lose what makes them special. */
import { alignDown, alignUp, MiB, PAGE_BYTES, TiB } from "../../address.js";
import type { CheckStep } from "../../check/world.js";
import { MEMSLOT_FLAGS } from "../../memslot-numbers.js";
import { isHvaStep, type SlotStep, type Story } from "../story.js";
import { canonicalOf } from "./canonical.js";

export function* fewerSlots(story: Story): Generator<Story> {
  for (const slot of story.slots) yield { ...story, slots: story.slots.filter((other) => other !== slot) };
}

export function* simplerSlots(story: Story): Generator<Story> {
  for (const [at, slot] of story.slots.entries()) {
    for (const simpler of simplerThan(slot, story)) yield withSlot(story, at, simpler);
  }
  const steps = story.slots.map((slot, at) => ({ ...slot, slot: at }));
  if (steps.some(({ slot }, at) => slot !== story.slots[at]?.slot)) yield { ...story, slots: steps };
}

function* simplerThan(slot: SlotStep, story: Story): Generator<SlotStep> {
  if (slot.backing > 1) yield { ...slot, backing: 1 };
  for (const flag of [MEMSLOT_FLAGS.logDirty, MEMSLOT_FLAGS.readonly])
    if (slot.flags & flag) yield { ...slot, flags: slot.flags - flag };
  yield* smallerThan(slot, story);
  if (slot.hva !== TiB + slot.gpa) yield { ...slot, hva: TiB + slot.gpa };
}

/** Down to the pages that are used, in units of 4K, then of 2M; else the half of it that holds them. */
function* smallerThan(slot: SlotStep, story: Story): Generator<SlotStep> {
  const used = addressesIn(slot, story);
  const [first, last] = [Math.min(...used), Math.max(...used)];
  for (const unit of [PAGE_BYTES, 2 * MiB]) {
    const start = Math.max(slot.gpa, alignDown(first, unit));
    const end = Math.min(slot.gpa + slot.bytes, alignUp(last + 1, unit));
    if (used.length > 0 && end - start < slot.bytes) yield cut(slot, start, end - start);
  }
  const half = alignUp(slot.bytes / 2, PAGE_BYTES);
  if (half === slot.bytes) return;
  if (used.length === 0 || last < slot.gpa + half) yield { ...slot, bytes: half };
  const start = slot.gpa + slot.bytes - half;
  if (used.length === 0 || first >= start) yield cut(slot, start, half);
}

const cut = (slot: SlotStep, gpa: number, bytes: number): SlotStep => ({
  ...slot,
  gpa,
  bytes,
  hva: slot.hva + gpa - slot.gpa,
});

/** Addresses of the slot that a step names, as first and last bytes. */
function addressesIn(slot: SlotStep, { config, steps }: Story): number[] {
  const canonical = canonicalOf(config);
  const ends = (step: CheckStep): number[] => {
    if (step.is !== "event") return [];
    const first = isHvaStep(step) ? step.gpa - slot.hva + slot.gpa : canonical(step.gpa);
    return step.bytes === 0 ? [first] : [first, first + step.bytes - 1];
  };
  return steps.flatMap(ends).filter((gpa) => gpa >= slot.gpa && gpa < slot.gpa + slot.bytes);
}

/** The host's addresses move along with the slot's. */
function withSlot(story: Story, at: number, slot: SlotStep): Story {
  const before = story.slots[at] as SlotStep;
  const moved = slot.hva - slot.gpa - (before.hva - before.gpa);
  const isIn = (hva: number) => hva >= before.hva && hva < before.hva + before.bytes;
  const steps = story.steps.map((step) =>
    moved !== 0 && step.is === "event" && isHvaStep(step) && isIn(step.gpa)
      ? { ...step, gpa: step.gpa + moved }
      : step,
  );
  return { ...story, slots: story.slots.with(at, slot), steps };
}
