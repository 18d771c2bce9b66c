/**
 * Which host page is behind a frame, and which page size a frame may have.
 * KVM: kvm_mmu_max_mapping_level() (v6.16).
 */
import { floorTo, isAligned, PAGE_BYTES, span } from "./frames.js";
import type { Slot } from "./memslots.js";

/** HVAs below belong to nobody: the first region of guest memory starts here. */
const FIRST_HVA_PAGE = 2 ** 40 / PAGE_BYTES;

/** The host page behind a frame, in a host that has so many for memslots. */
export function pfnOf(slot: Slot, gfn: number, pages: number): number {
  const page = slot.hva / PAGE_BYTES + (gfn - slot.base) - FIRST_HVA_PAGE;
  return ((page % pages) + pages) % pages;
}

/** Whether the whole entry lies in the slot, at host addresses aligned as the guest's are. */
export function fitsSlot(slot: Slot, gfn: number, level: number): boolean {
  const start = floorTo(gfn, level);
  const inside = start >= slot.base && start + span(level) <= slot.base + slot.pages;
  return inside && isAligned(Math.abs(slot.hva / PAGE_BYTES - slot.base), level);
}
