/** Host addresses, as frames of the slots that have memory there. */
import { common } from "./attributes.js";
import { overlaps, PAGE_BYTES, type Range, rangeAt } from "./frames.js";
import type { Spot } from "./mappings.js";
import type { Slot } from "./memslots.js";
import type { State } from "./state.js";

/** `hva`: host pages. One range for each slot that they meet. */
export function framesOnHost({ memslots }: State, hva: Range): { slot: Slot; range: Range }[] {
  return memslots.ofNormalSpace().flatMap((slot) => shareOf(slot, hva).map((range) => ({ slot, range })));
}

/** Entries for any of these frames, slot by slot. */
export function spotsOnHost(state: State, hva: Range): Spot[] {
  const { mappings, shape } = state;
  return framesOnHost(state, hva).flatMap(({ slot, range }) =>
    mappings
      .spotsOf(slot)
      .filter(({ frame, level }) => common(rangeAt(shape.slotFrame(frame), level), range).length > 0),
  );
}

function shareOf({ hva, base, pages }: Slot, { start, end }: Range): Range[] {
  const first = hva / PAGE_BYTES;
  if (!overlaps(first, first + pages, start, end)) return [];
  return [{ start: base + Math.max(start - first, 0), end: base + Math.min(end - first, pages) }];
}
