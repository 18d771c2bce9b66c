/** Lower pages: each page that is used becomes the lowest of its slot that no other one is, wherever it is named. */
import { alignDown, PAGE_BYTES } from "../../address.js";
import type { CheckStep } from "../../check/world.js";
import { isHvaStep, type SlotStep, type Story } from "../story.js";
import { canonicalOf } from "./canonical.js";

export function* lowerPages(story: Story): Generator<Story> {
  for (const slot of story.slots) {
    const pages = pagesIn(story, slot);
    for (const page of pages) {
      const lowest = lowestFree(slot, pages);
      if (lowest < page) yield moved(story, slot, page, lowest);
    }
  }
}

function lowestFree({ gpa }: SlotStep, taken: readonly number[]): number {
  let page = gpa;
  while (taken.includes(page)) page += PAGE_BYTES;
  return page;
}

/** Canonical gpas of the pages that steps begin in, ascending. */
function pagesIn({ config, steps }: Story, slot: SlotStep): number[] {
  const canonical = canonicalOf(config);
  const pages = steps.flatMap((step) => {
    if (step.is !== "event") return [];
    const gpa = isHvaStep(step) ? step.gpa - slot.hva + slot.gpa : canonical(step.gpa);
    const isIn = gpa >= slot.gpa && gpa < slot.gpa + slot.bytes;
    return isIn && (step.bytes > 0 || step.kind === "access") ? [alignDown(gpa, PAGE_BYTES)] : [];
  });
  return [...new Set(pages)].sort((a, b) => a - b);
}

function moved(story: Story, slot: SlotStep, from: number, to: number): Story {
  const canonical = canonicalOf(story.config);
  const follow = (step: CheckStep): CheckStep => {
    if (step.is !== "event" || (step.bytes === 0 && step.kind !== "access")) return step;
    const gpa = isHvaStep(step) ? step.gpa - slot.hva + slot.gpa : canonical(step.gpa);
    return alignDown(gpa, PAGE_BYTES) === from ? { ...step, gpa: step.gpa + to - from } : step;
  };
  return { ...story, steps: story.steps.map(follow) };
}
