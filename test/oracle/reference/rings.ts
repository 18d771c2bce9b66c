/**
 * The dirty rings of a VM: who collects them, and what KVM does with what was
 * collected. KVM: kvm_dirty_ring_reset(), kvm_reset_dirty_gfn() (v6.16).
 */
import { type RingEntry, type Window, windowsOf } from "./dirty-ring.js";
import { flushAll } from "./flush.js";
import { drainAll } from "./pml.js";
import { rearm } from "./rearm.js";
import type { State } from "./state.js";
import { Refusal } from "./types.js";

export interface RingReset {
  readonly entries: number;
  readonly sptesChanged: number;
}

export const hasRings = ({ memslots }: State): boolean => memslots.logging.ringEntries !== undefined;

export function collectRing(state: State, vcpu: number, most: number): RingEntry[] {
  const ring = state.rings.get(vcpu);
  if (ring === undefined) throw new Refusal("ERR_NO_DIRTY_RING", "EINVAL");
  return ring.collect(most);
}

/** KVM_RESET_DIRTY_RINGS. */
export function resetRings(state: State): RingReset {
  if (!hasRings(state)) throw new Refusal("ERR_NO_DIRTY_RING", "EINVAL");
  drainAll(state);
  const inOrder = [...state.rings].sort(([a], [b]) => a - b);
  const taken = inOrder.map(([, ring]) => ring.takeBack());
  const entries = taken.reduce((sum, each) => sum + each.length, 0);
  const windows = taken.flatMap((each) => windowsOf(each));
  const sptesChanged = windows.reduce((sum, window) => sum + rearmWindow(state, window), 0);
  if (entries > 0) flushAll(state);
  return { entries, sptesChanged };
}

/** What a VMM does in a period of migration. */
export function collectAndReset(state: State): RingReset {
  drainAll(state);
  for (const ring of state.rings.values()) ring.collect();
  return resetRings(state);
}

/** KVM_EXIT_DIRTY_RING_FULL: the VMM makes room before the vCPU goes on. Returns the entries changed. */
export function leaveIfFull(state: State, vcpu: number): number {
  const ring = state.rings.get(vcpu);
  if (!ring?.isFull) return 0;
  ring.collect();
  return resetRings(state).sptesChanged;
}

/** A slot that is gone, or too small for the window, is passed over. */
function rearmWindow(state: State, { slot: slotArgument, pages }: Window): number {
  const slot = state.memslots.slots.get(slotArgument);
  if (slot === undefined || Math.max(...pages) >= slot.pages) return 0;
  const slots = [slot, ...state.memslots.twinsOf(slot)];
  return slots.reduce((sum, each) => sum + rearm(state, each, pages), 0);
}
