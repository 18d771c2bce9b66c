/**
 * Flavour rmap maps neighbours of a fault ahead, in aligned groups of eight.
 * KVM: direct_pte_prefetch() (v6.16); which neighbours a strategy leaves out
 * is its row's say.
 */
import { type Access, aheadAt } from "./access.js";
import { hostPageOf } from "./host-page.js";
import { newLeaf } from "./leaves.js";
import type { Slot } from "./memslots.js";
import type { Place } from "./reverse-maps.js";
import type { RmapMappings } from "./rmap-mappings.js";
import type { State } from "./state.js";
import { READ } from "./types.js";

const GROUP = 8;

/** Entries changed. */
export function prefetchAround(state: State, rmap: RmapMappings, access: Access, faulting: Place): number {
  // Without Accessed a page mapped ahead could not be told from one in use.
  if (!state.config.host.adBits || state.windows.inProgress > 0) return 0;
  let changed = 0;
  for (const run of runsBeside(rmap, faulting)) {
    const neighbours = run.map((index) => ({
      place: { page: faulting.page, index },
      access: aheadAt(state, access.issued + index - faulting.index, READ, access.vcpu),
    }));
    const slot = slotOf(
      state,
      neighbours.map(({ access }) => access),
    );
    if (slot === undefined) break;
    const isThere = neighbours.map((neighbour) => isWritableNow(state, slot, neighbour.access));
    const there = neighbours.slice(0, isThere.includes(false) ? isThere.indexOf(false) : isThere.length);
    if (there.length === 0) break;
    for (const neighbour of there) {
      if (isSkipped(state, rmap, neighbour.access, neighbour.place)) continue;
      rmap.put(slot, neighbour.place, newLeaf(state, slot, neighbour.access, 1), true);
      changed += 1;
    }
  }
  return changed;
}

/** Longest stretches of the group that are not present and do not hold the faulting entry. */
function runsBeside(rmap: RmapMappings, { page, index }: Place): number[][] {
  const first = index - (index % GROUP);
  const runs: number[][] = [[]];
  for (let at = first; at < first + GROUP; at++) {
    const { kind } = rmap.entryAt({ page, index: at });
    if (at === index || kind === "leaf") runs.push([]);
    else runs.at(-1)?.push(at);
  }
  return runs.filter((run) => run.length > 0);
}

/** The slot that holds the whole run, if it may be mapped ahead. */
function slotOf({ memslots, shape }: State, run: readonly Access[]): Slot | undefined {
  const [first, last] = [run[0], run.at(-1)];
  const slot = first === undefined ? undefined : memslots.find(first.frame);
  if (first === undefined || last === undefined || slot === undefined) return undefined;
  const isFit = shape.sees(slot, first.issued) && !slot.readonly && !slot.logged;
  return isFit && last.frame < slot.base + slot.pages ? slot : undefined;
}

/** The host is asked for no page that it would have to do something for. */
const isWritableNow = ({ hostMemory }: State, slot: Slot, { frame }: Access): boolean =>
  hostMemory.stateOf(hostPageOf(slot, frame)) === "readwrite";

function isSkipped(state: State, rmap: RmapMappings, access: Access, place: Place): boolean {
  const { attributes, shape, policy } = state;
  if (rmap.entryAt(place).kind === "blocked") return true;
  if (policy.prefetchSkips === "nothing" || !shape.hasPrivate) return false;
  if (attributes.isPrivate(access.canonical)) return true;
  const other = shape.issue(access.canonical, 1 - access.alias);
  const { kind } = rmap.walk(shape.rootOf(other), other).entry;
  return policy.prefetchSkips === "private-or-mapped" && (kind === "leaf" || kind === "blocked");
}
