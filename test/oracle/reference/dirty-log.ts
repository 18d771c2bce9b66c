/**
 * Dirty logging without a hardware log: a page is known to be dirty because
 * its entry lost W and the next write faulted. KVM: kvm_get_dirty_log_protect(),
 * kvm_mmu_slot_apply_flags() (v6.16).
 */
import { recoverSlot, splitSlot } from "./huge-pages.js";
import type { Slot } from "./memslots.js";
import type { Paging } from "./paging.js";
import type { Leaf } from "./spte.js";

export interface TakenLog {
  /** Pages of the slot that were dirty, lowest first. */
  readonly pages: readonly number[];
  readonly sptesChanged: number;
}

/** Whether the slot's frames are the frames that accesses reach. */
const isReachable = (slot: Slot): boolean => slot.asId === 0;

function protect(leaves: readonly Leaf[]): number {
  const writable = leaves.filter((leaf) => leaf.w);
  for (const leaf of writable) leaf.w = false;
  return writable.length;
}

export function markDirty(slot: Slot, gfn: number): void {
  slot.dirty?.add(gfn - slot.base);
}

/** Empties the bitmap and makes each page of it fault on its next write. */
export function takeLog(paging: Paging, slot: Slot): TakenLog {
  const pages = [...(slot.dirty ?? [])].sort((a, b) => a - b);
  slot.dirty?.clear();
  let sptesChanged = 0;
  for (const page of isReachable(slot) ? pages : []) {
    const entry = paging.entryAt(1, slot.base + page);
    if (entry.kind === "leaf") sptesChanged += protect([entry.leaf]);
  }
  return { pages, sptesChanged };
}

/** After logging was switched on. The slot is the new one. */
export function startLogging(paging: Paging, slot: Slot): number {
  if (slot.readonly || !isReachable(slot)) return 0;
  const splits = splitSlot(paging, slot);
  return splits + protect(paging.leavesIn(slot.base, slot.base + slot.pages));
}

/** After logging was switched off. */
export function stopLogging(paging: Paging, slot: Slot): number {
  return slot.readonly || !isReachable(slot) ? 0 : recoverSlot(paging, slot);
}
