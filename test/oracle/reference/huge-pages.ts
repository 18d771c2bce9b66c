/**
 * Which page size a frame may have, and the two ways that sizes change without
 * a fault: splitting when logging starts, recovering when it stops. KVM:
 * kvm_mmu_max_mapping_level(), kvm_mmu_slot_try_split_huge_pages(),
 * kvm_tdp_mmu_recover_huge_pages() (v6.16).
 */
import { floorTo, isAligned, PAGE_BYTES, span } from "./frames.js";
import type { Slot } from "./memslots.js";
import type { Paging } from "./paging.js";

/** HVAs below belong to nobody: the first region of guest memory starts here. */
const FIRST_HVA_PAGE = 2 ** 40 / PAGE_BYTES;

/** The host page behind a frame, in a host of that physical width. */
export function pfnOf(slot: Slot, gfn: number, hostMaxphyaddr: number): number {
  const page = slot.hva / PAGE_BYTES + (gfn - slot.base) - FIRST_HVA_PAGE;
  const pages = 2 ** (hostMaxphyaddr - 12);
  return ((page % pages) + pages) % pages;
}

/** Whether the whole entry lies in the slot, at host addresses aligned as the guest's are. */
function fitsSlot(slot: Slot, gfn: number, level: number): boolean {
  const start = floorTo(gfn, level);
  const inside = start >= slot.base && start + span(level) <= slot.base + slot.pages;
  return inside && isAligned(Math.abs(slot.hva / PAGE_BYTES - slot.base), level);
}

/** Largest level that the slot's shape and the host's pages allow, logging aside. */
export function allowedLevel(slot: Slot, gfn: number): number {
  for (let level = 3; level > 1; level--)
    if (level <= slot.backing && fitsSlot(slot, gfn, level)) return level;
  return 1;
}

/** The level that a fault maps at. A logged slot is mapped by 4 KiB pages only. */
export function goalLevel(slot: Slot, gfn: number): number {
  return slot.logged ? 1 : allowedLevel(slot, gfn);
}

/** Splits every huge leaf of the slot down to 4 KiB. Returns the splits made. */
export function splitSlot(paging: Paging, slot: Slot): number {
  let splits = 0;
  for (const level of [3, 2]) {
    const huge = paging.leavesIn(slot.base, slot.base + slot.pages).filter((leaf) => leaf.level === level);
    for (const leaf of huge) paging.split(leaf);
    splits += huge.length;
  }
  return splits;
}

/** Makes huge leaves where tables stand in for them. Returns the leaves made. */
export function recoverSlot(paging: Paging, slot: Slot): number {
  let recovered = 0;
  for (const level of [3, 2]) {
    for (const gfn of paging.linksAt(level)) {
      const inside = gfn >= slot.base && gfn + span(level) <= slot.base + slot.pages;
      if (!inside || allowedLevel(slot, gfn) < level) continue;
      const first = paging.leavesIn(gfn, gfn + span(level))[0];
      if (first === undefined) continue;
      // Enlarged, not rebuilt: permissions, accessed and dirty are the first leaf's.
      paging.put({ ...first, level, gfn, pfn: floorTo(first.pfn, level) });
      recovered += 1;
    }
  }
  return recovered;
}
