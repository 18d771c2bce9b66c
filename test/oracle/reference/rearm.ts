/**
 * Takes from entries what lets a write pass unseen: W, or with a
 * page-modification log the Dirty bit. KVM:
 * kvm_arch_mmu_enable_log_dirty_pt_masked(), rmap_write_protect(),
 * clear_dirty_pt_masked() (v6.16).
 */
import { take } from "./flush.js";
import { meets, rangeAt } from "./frames.js";
import { isPrivateLeaf } from "./leaves.js";
import type { Spot } from "./mappings.js";
import type { Slot } from "./memslots.js";
import { splitRange } from "./page-sizes.js";
import type { Leaf } from "./spte.js";
import type { State } from "./state.js";

/** Whether the leaf had anything to lose. */
type Loss = (leaf: Leaf) => boolean;

export const loseW: Loss = (leaf) => {
  const had = leaf.w;
  leaf.w = false;
  return had;
};

export const loseDirty: Loss = (leaf) => {
  const had = leaf.dirty;
  leaf.dirty = false;
  return had;
};

/** For good: no fast fix gives W back. */
const loseWritable: Loss = (leaf) => {
  const had = leaf.w || leaf.mmuWritable;
  Object.assign(leaf, { w: false, mmuWritable: false });
  return had;
};

/** Entries changed. Private memory is not logged. */
export function apply(state: State, spots: readonly Spot[], loss: Loss): number {
  let changed = 0;
  for (const { leaf, root, frame, level } of spots) {
    if (leaf === undefined || isPrivateLeaf(state, root, leaf)) continue;
    const isChanged = loss(leaf);
    // What ageing put aside may be remembered with every right, and no flush followed. W it keeps for itself.
    const isRemembered = leaf.saved !== undefined || (!state.config.host.adBits && leaf.mmuWritable);
    if (isChanged || isRemembered) take(state, frame, level);
    if (isChanged) changed += 1;
  }
  return changed;
}

/** Pages of one slot, at most 64 of them from first to last, lowest first. Never flushes. */
export function rearm(state: State, slot: Slot, pages: readonly number[]): number {
  // Nothing maps another address space's slots.
  if (slot.asId !== 0) return 0;
  const { logging } = state.memslots;
  const apart = logging.initiallySet ? takeApart(state, slot, pages) : 0;
  const asked = new Set(pages.map((page) => slot.base + page));
  const spots = state.mappings
    .spotsOf(slot)
    .filter(({ level, frame }) => level === 1 && asked.has(state.shape.slotFrame(frame)));
  return apart + apply(state, spots, logging.hasPml ? loseDirty : loseW);
}

/** Where logging began with everything dirty, huge leaves are still there, and writable. */
function takeApart(state: State, slot: Slot, pages: readonly number[]): number {
  const [first, last] = [slot.base + Math.min(...pages), slot.base + Math.max(...pages)];
  const isSplit = state.tdp !== undefined && state.config.host.eagerPageSplit;
  const split = isSplit ? splitRange(state, state.tdp, { start: first, end: last + 1 }) : 0;
  // As KVM compares them: rounded up, so a last frame on a boundary counts as below it.
  const isSecond = Math.ceil(first / 512) !== Math.ceil(last / 512);
  const ends = isSecond ? [first, last] : [first];
  return ends.reduce((sum, frame) => sum + protectHuge(state, slot, frame), split);
}

function protectHuge(state: State, slot: Slot, frame: number): number {
  const page = { start: frame, end: frame + 1 };
  const huge = state.mappings
    .spotsOf(slot)
    .filter((spot) => spot.level > 1 && meets(rangeAt(state.shape.slotFrame(spot.frame), spot.level), page));
  return apply(state, huge, loseWritable);
}
