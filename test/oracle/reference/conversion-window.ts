/**
 * Frames that a conversion keeps faults away from: its own, and those of huge
 * pages that it breaks. KVM: kvm_arch_pre_set_memory_attributes() (v6.16).
 */
import { common } from "./attributes.js";
import { floorTo, type Range, rangeAt } from "./frames.js";
import type { Slot } from "./memslots.js";
import type { State } from "./state.js";

export function conversionWindow(state: State, range: Range): Range[] {
  return state.memslots
    .ofNormalSpace()
    .flatMap((slot) => common(range, framesOf(slot)).flatMap((part) => widened(state, slot, part)));
}

const framesOf = ({ base, pages }: Slot): Range => ({ start: base, end: base + pages });

function widened(state: State, slot: Slot, part: Range): Range[] {
  const slotFrames = framesOf(slot);
  const broken = [2, 3].flatMap((level) => {
    const [head, tail] = [rangeAt(part.start, level), rangeAt(part.end, level)];
    const isHeadBroken = head.start !== part.start || head.end > part.end;
    const isTailOther = floorTo(part.end, level) !== head.start;
    return [...(isHeadBroken ? [head] : []), ...(isTailOther && tail.end > part.end ? [tail] : [])];
  });
  const isInside = ({ start, end }: Range) => start >= slotFrames.start && end <= slotFrames.end;
  return [part, ...broken.filter((huge) => isInside(huge) && !isMixed(state, huge))];
}

function isMixed({ attributes }: State, huge: Range): boolean {
  const pages = attributes.privateIn(huge).reduce((sum, { start, end }) => sum + end - start, 0);
  return pages > 0 && pages < huge.end - huge.start;
}
