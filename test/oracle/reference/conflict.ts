/**
 * A fault on a frame that the other alias may still map, where a strategy
 * allows only one: the other's leaf goes first. KVM: the TDX patches of 2020
 * and 2021, with and without a reverse map.
 */
import { type Access, accessTo } from "./access.js";
import { flushEntry, take } from "./flush.js";
import type { Spot } from "./mappings.js";
import type { Slot } from "./memslots.js";
import type { RmapMappings } from "./rmap-mappings.js";
import type { State } from "./state.js";
import { zapPrivateSpots } from "./zap.js";

/** Entries changed. */
export function zapOtherAlias(state: State, access: Access, slot: Slot): number {
  const { onConflict } = state.policy;
  if (onConflict === "ignore") return 0;
  const other = accessTo(
    state,
    state.shape.issue(access.canonical, 1 - access.alias),
    access.bits,
    access.vcpu,
  );
  if (state.rmap !== undefined) return zapByReverseMap(state, state.rmap, other, slot);
  return zapLeaf(state, other);
}

function zapLeaf(state: State, other: Access): number {
  const { canonical, root, isPrivate, issued } = other;
  const spots = state.mappings.spotsIn({ start: canonical, end: canonical + 1 });
  const found = spots.filter((spot) => spot.root === root && spot.frame === issued);
  if (isPrivate) return zapPrivateSpots(state, found);
  for (const spot of found) {
    if (spot.leaf !== undefined) take(state, spot.frame, spot.level);
    spot.clear();
    flushEntry(state, canonical, 1);
  }
  return found.length;
}

/** As posted: what was blocked before stays so, unless something present goes too. */
function zapByReverseMap(state: State, rmap: RmapMappings, other: Access, slot: Slot): number {
  const { root, issued, frame, isPrivate } = other;
  if (rmap.shadow.lastTable(root, issued) === undefined) return 0;
  const listed = (): Spot[] => rmap.reverse.at(slot.slot, 1, frame).map((place) => rmap.spotAt(place));
  const present = listed().filter(({ leaf }) => leaf !== undefined);
  for (const spot of present) {
    take(state, spot.frame, spot.level);
    if (spot.root === "private") spot.block();
    else spot.clear();
  }
  if (present.length === 0) return 0;
  flushEntry(state, frame, 1);
  const blocked = isPrivate ? listed().filter(({ leaf }) => leaf === undefined) : [];
  for (const spot of blocked) spot.clear();
  return present.length + blocked.length;
}
