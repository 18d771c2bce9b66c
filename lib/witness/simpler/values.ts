/** Plainer events: reads, or writes; whole pages; ranges of one page; a dirty round over everything. */
import { alignDown, PAGE_BYTES } from "../../address.js";
import { ACCESS_BITS } from "../../columns/event-batch.js";
import type { EventStep, Story } from "../story.js";

/** A dirty-log operation without a range is about every slot. */
const MAY_BE_EVERYTHING: readonly string[] = [
  "dirty-log-get",
  "dirty-log-enable",
  "dirty-log-disable",
  "dirty-log-clear",
];

export function* simplerValues(story: Story): Generator<Story> {
  for (const [at, step] of story.steps.entries()) {
    if (step.is !== "event") continue;
    for (const plainer of plainerThan(step)) yield { ...story, steps: story.steps.with(at, plainer) };
  }
}

function* plainerThan(step: EventStep): Generator<EventStep> {
  if (step.kind === "access") {
    const { read, write } = ACCESS_BITS;
    if (step.access !== read) yield { ...step, access: read };
    if (step.access !== read && step.access !== write) yield { ...step, access: write };
    const page = alignDown(step.gpa, PAGE_BYTES);
    if (page !== step.gpa) yield { ...step, gpa: page };
    return;
  }
  if (step.bytes === 0) return;
  if (MAY_BE_EVERYTHING.includes(step.kind)) yield { ...step, gpa: 0, bytes: 0 };
  else if (step.bytes > PAGE_BYTES) yield* smallerRanges(step);
}

function* smallerRanges(step: EventStep): Generator<EventStep> {
  const half = alignDown(step.bytes / 2, PAGE_BYTES);
  yield { ...step, bytes: PAGE_BYTES };
  yield { ...step, bytes: half };
  yield { ...step, gpa: step.gpa + step.bytes - half, bytes: half };
}
