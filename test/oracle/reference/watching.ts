/**
 * Write tracking as an operation: frames get a watcher, or lose one. KVM:
 * __kvm_write_track_add_gfn(), kvm_mmu_slot_gfn_write_protect() (v6.16).
 */
import { common } from "./attributes.js";
import { flushAll, take } from "./flush.js";
import { meets, moved, type Range, rangeAt } from "./frames.js";
import type { State } from "./state.js";
import type { Effect } from "./types.js";

/** Twins' frames are watched with the slot's. */
function slotRanges({ shape }: State, range: Range): Range[] {
  const { aliases, policy } = shape;
  if (policy.slotFrames === "canonical") return [range];
  return aliases.all().map((alias) => moved(range, aliases.offset(alias)));
}

export function watch(state: State, range: Range, by: 1 | -1): Effect {
  const ranges = slotRanges(state, range).flatMap((each) => changeCounters(state, each, by));
  const changed = by === 1 ? ranges.reduce((sum, each) => sum + protect(state, each), 0) : 0;
  if (changed > 0) flushAll(state);
  return { changed };
}

/** Returns the frames that a slot holds. */
function changeCounters({ memslots, tracking }: State, range: Range, by: 1 | -1): Range[] {
  return memslots.ofNormalSpace().flatMap(({ slot, base, pages }) =>
    common(range, { start: base, end: base + pages }).map((held) => {
      for (let frame = held.start; frame < held.end; frame++) tracking.change(slot, frame, by);
      return held;
    }),
  );
}

/** Neither W nor the right to give it back without asking, in whatever leaf maps one of the frames. */
function protect(state: State, range: Range): number {
  let changed = 0;
  for (const { leaf, frame, level } of state.mappings.spotsIn(range)) {
    const isMet = meets(rangeAt(state.shape.slotFrame(frame), level), range);
    if (leaf === undefined || !isMet || !(leaf.w || leaf.mmuWritable)) continue;
    Object.assign(leaf, { w: false, mmuWritable: false });
    take(state, frame, level);
    changed += 1;
  }
  return changed;
}
