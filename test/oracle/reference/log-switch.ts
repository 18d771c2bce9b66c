/**
 * What switching the log of a slot on or off does to its mappings. KVM:
 * kvm_mmu_slot_apply_flags(), kvm_mmu_slot_leaf_clear_dirty(),
 * kvm_mmu_slot_remove_write_access() (v6.16).
 */
import { flushRange } from "./flush.js";
import type { Slot } from "./memslots.js";
import { recoverSlot, splitRange, zapCollapsible } from "./page-sizes.js";
import { apply, loseDirty, loseW } from "./rearm.js";
import type { State } from "./state.js";

/** Whether the slot's frames are the frames that accesses reach. */
const isReachable = (slot: Slot): boolean => slot.asId === 0;

const rangeOf = ({ base, pages }: Slot) => ({ start: base, end: base + pages });

/** The slot is the new one. Where all is dirty from the start there is nothing to notice yet. */
export function startLogging(state: State, slot: Slot): number {
  if (slot.readonly || state.memslots.logging.initiallySet) return 0;
  const changed = isReachable(slot) ? protectAll(state, slot) : 0;
  flushRange(state, rangeOf(slot));
  return changed;
}

function protectAll(state: State, slot: Slot): number {
  const { tdp, mappings, memslots, config } = state;
  const isSplit = tdp !== undefined && config.host.eagerPageSplit;
  const split = isSplit ? splitRange(state, tdp, rangeOf(slot)) : 0;
  if (!memslots.logging.hasPml) return split + apply(state, mappings.spotsOf(slot), loseW);
  const spots = mappings.spotsOf(slot);
  const huge = spots.filter(({ level }) => level > 1);
  // Reverse maps are asked for 4K leaves only.
  const cleaned = apply(
    state,
    tdp === undefined ? spots.filter(({ level }) => level === 1) : spots,
    loseDirty,
  );
  return split + cleaned + apply(state, huge, loseW);
}

export function stopLogging(state: State, slot: Slot): number {
  if (slot.readonly || !isReachable(slot)) return 0;
  if (state.rmap !== undefined) return zapCollapsible(state, state.rmap, slot);
  return state.tdp === undefined ? 0 : recoverSlot(state, state.tdp, slot);
}
