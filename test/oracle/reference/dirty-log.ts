/**
 * Dirty logging without a hardware log: a page is known to be dirty because
 * its entry lost W and the next write faulted. KVM: kvm_get_dirty_log_protect(),
 * kvm_mmu_slot_apply_flags() (v6.16).
 */
import { flushRange, take } from "./flush.js";
import { isPrivateLeaf } from "./leaves.js";
import type { Spot } from "./mappings.js";
import type { Slot } from "./memslots.js";
import { recoverSlot, splitSlot, zapCollapsible } from "./page-sizes.js";
import type { State } from "./state.js";

export interface TakenLog {
  /** Pages of the slot that were dirty, lowest first. */
  readonly pages: readonly number[];
  readonly sptesChanged: number;
}

/** Whether the slot's frames are the frames that accesses reach. */
const isReachable = (slot: Slot): boolean => slot.asId === 0;

const rangeOf = ({ base, pages }: Slot) => ({ start: base, end: base + pages });

function protect(state: State, spots: readonly Spot[]): number {
  let changed = 0;
  for (const { leaf, root, frame, level } of spots) {
    if (leaf === undefined || !leaf.w || isPrivateLeaf(state, root, leaf)) continue;
    leaf.w = false;
    take(state, frame, level);
    changed += 1;
  }
  return changed;
}

export function markDirty(slot: Slot, gfn: number): void {
  slot.dirty?.add(gfn - slot.base);
}

/** Empties the bitmap and makes each page of it fault on its next write. */
export function takeLog(state: State, slot: Slot): TakenLog {
  const pages = [...(slot.dirty ?? [])].sort((a, b) => a - b);
  slot.dirty?.clear();
  if (pages.length === 0) return { pages, sptesChanged: 0 };
  const wasDirty = new Set(pages.map((page) => slot.base + page));
  const spots = state.mappings
    .spotsOf(slot)
    .filter(({ level, frame }) => level === 1 && wasDirty.has(state.shape.slotFrame(frame)));
  const sptesChanged = protect(state, spots);
  flushRange(state, rangeOf(slot));
  return { pages, sptesChanged };
}

/** After logging was switched on. The slot is the new one. */
export function startLogging(state: State, slot: Slot): number {
  if (slot.readonly) return 0;
  let changed = 0;
  if (isReachable(slot)) {
    if (state.tdp !== undefined) changed += splitSlot(state, state.tdp, slot);
    changed += protect(state, state.mappings.spotsOf(slot));
  }
  flushRange(state, rangeOf(slot));
  return changed;
}

/** After logging was switched off. */
export function stopLogging(state: State, slot: Slot): number {
  if (slot.readonly || !isReachable(slot)) return 0;
  if (state.rmap !== undefined) return zapCollapsible(state, state.rmap, slot);
  return state.tdp === undefined ? 0 : recoverSlot(state, state.tdp, slot);
}
