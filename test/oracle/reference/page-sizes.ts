/**
 * The ways that page sizes change without a fault: flavour tdp splits when
 * logging starts and recovers when it stops; flavour rmap only zaps what could
 * be larger. KVM: kvm_mmu_slot_try_split_huge_pages(),
 * kvm_tdp_mmu_recover_huge_pages(), kvm_mmu_zap_collapsible_spte() (v6.16).
 */
import { flushEntry, flushRange, take } from "./flush.js";
import { type Range, span } from "./frames.js";
import { isPrivateLeaf, largestLevel } from "./leaves.js";
import type { Spot } from "./mappings.js";
import type { Slot } from "./memslots.js";
import type { Place } from "./reverse-maps.js";
import type { RmapMappings } from "./rmap-mappings.js";
import type { View } from "./shape.js";
import { enlarged } from "./spte.js";
import type { State } from "./state.js";
import type { TdpMappings } from "./tdp-mappings.js";

const rangeOf = ({ base, pages }: Slot) => ({ start: base, end: base + pages });

/** Splits every huge leaf over frames of a slot down to 4 KiB. Returns the splits made. */
export function splitRange({ shape, config }: State, tdp: TdpMappings, frames: Range): number {
  let splits = 0;
  for (const { root, range } of shape.views(frames))
    for (const level of [3, 2]) {
      const tree = tdp.tree(root);
      const huge = tree.leavesIn(range.start, range.end).filter((leaf) => leaf.level === level);
      for (const leaf of huge) tree.split(leaf, config.host.nxHugePages);
      splits += huge.length;
    }
  return splits;
}

/** Makes huge leaves where tables stand in for them. Returns the leaves made. */
export function recoverSlot(state: State, tdp: TdpMappings, slot: Slot): number {
  const views = state.shape.views(rangeOf(slot));
  const recovered = views.reduce((sum, view) => sum + recoverView(state, tdp, slot, view), 0);
  if (recovered > 0) flushRange(state, rangeOf(slot));
  return recovered;
}

function recoverView(state: State, tdp: TdpMappings, slot: Slot, { root, range }: View): number {
  const tree = tdp.tree(root);
  let recovered = 0;
  for (const level of [3, 2]) {
    for (const gfn of tree.linksAt(level)) {
      const isInside = gfn >= range.start && gfn + span(level) <= range.end;
      if (!isInside || largestLevel(state, slot, state.shape.slotFrame(gfn)) < level) continue;
      const first = tree.leavesIn(gfn, gfn + span(level))[0];
      if (first === undefined || isPrivateLeaf(state, root, first)) continue;
      // Enlarged, not rebuilt: permissions, accessed and dirty are the first leaf's.
      tree.put(enlarged(first, level, state.config.host.nxHugePages));
      take(state, gfn, level);
      recovered += 1;
    }
  }
  return recovered;
}

/** A leaf in a list of the slot that a larger one could replace. */
function collapsible(state: State, rmap: RmapMappings, slot: Slot, place: Place): Spot | undefined {
  const spot = rmap.spotAt(place);
  const isSmall = largestLevel(state, slot, state.shape.slotFrame(place.page.frame)) <= place.page.level;
  if (isSmall || spot.leaf === undefined || isPrivateLeaf(state, spot.root, spot.leaf)) return undefined;
  return spot;
}

/** Zaps every leaf that a larger one could replace. Returns how many. */
export function zapCollapsible(state: State, rmap: RmapMappings, slot: Slot): number {
  const isByRange = state.config.flushProvider !== "none";
  let zapped = 0;
  for (const level of [1, 2]) {
    for (const frame of rmap.reverse.framesOf(slot.slot, level)) {
      // After each the list is looked at from its front again.
      for (;;) {
        const places = rmap.reverse.at(slot.slot, level, frame);
        const spot = places.map((place) => collapsible(state, rmap, slot, place)).find((each) => each);
        if (spot === undefined) break;
        spot.clear();
        take(state, spot.frame, level);
        zapped += 1;
        if (isByRange) flushEntry(state, state.shape.slotFrame(spot.frame), level);
      }
    }
  }
  if (zapped > 0 && !isByRange) flushRange(state, rangeOf(slot));
  return zapped;
}
