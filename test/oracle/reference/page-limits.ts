/**
 * How many shadow pages a VM of flavour rmap may have, and who goes when they
 * run out: the oldest. KVM: make_mmu_pages_available(),
 * kvm_mmu_zap_oldest_mmu_pages(), kvm_mmu_change_mmu_pages() (v6.16).
 */
import { flushAll, take } from "./flush.js";
import type { RmapMappings } from "./rmap-mappings.js";
import type { ShadowPage } from "./shadow-pages.js";
import type { State } from "./state.js";
import { Refusal } from "./types.js";

const LEAST = 64;
const SLOT_PAGES_EACH = 50;
const LOW = 5;
const REFILL = 25;

export interface PageLimit {
  most: number;
  /** Whether userspace has chosen it. */
  isChosen: boolean;
}

export const newPageLimit = (isLimited: boolean): PageLimit => ({
  most: isLimited ? LEAST : Number.POSITIVE_INFINITY,
  isChosen: !isLimited,
});

/** A slot has come or gone. Returns the entries changed. */
export function slotsChanged(state: State): number {
  const { memslots, pageLimit, rmap } = state;
  if (pageLimit.isChosen || rmap === undefined) return 0;
  const pages = [...memslots.slots.values()].reduce((sum, slot) => sum + slot.pages, 0);
  return changeLimit(state, rmap, Math.max(Math.floor(pages / SLOT_PAGES_EACH), LEAST));
}

/** KVM_SET_NR_MMU_PAGES. Returns the entries changed. Throws a `Refusal`. */
export function setMmuPages(state: State, pages: number): number {
  if (pages < LEAST) throw new Refusal("ERR_MMU_PAGES", "EINVAL");
  state.pageLimit.isChosen = true;
  if (state.rmap !== undefined) return changeLimit(state, state.rmap, pages);
  state.pageLimit.most = pages;
  return 0;
}

function changeLimit(state: State, rmap: RmapMappings, wanted: number): number {
  const used = rmap.shadow.pages.size;
  const changed = used > wanted ? zapOldest(state, rmap, used - wanted) : 0;
  state.pageLimit.most = used > wanted ? rmap.shadow.pages.size : wanted;
  return changed;
}

/** Before a fault maps: the entries changed to make room, and whether there is any now. */
export function makePagesAvailable(state: State): { hasRoom: boolean; changed: number } {
  const { rmap, pageLimit } = state;
  if (rmap === undefined) return { hasRoom: true, changed: 0 };
  const free = () => Math.max(pageLimit.most - rmap.shadow.pages.size, 0);
  const changed = free() >= LOW ? 0 : zapOldest(state, rmap, REFILL - free());
  return { hasRoom: free() > 0, changed };
}

/** Returns the entries changed. */
function zapOldest(state: State, rmap: RmapMappings, count: number): number {
  const old = [...rmap.shadow.pages.values()].filter(({ level }) => level < rmap.shadow.rootLevel);
  const gone = old.slice(0, count);
  const changed = gone.reduce((sum, page) => sum + zapShadowPage(state, rmap, page), 0);
  state.counters.mmu_recycled += gone.length;
  if (gone.length > 0) flushAll(state);
  return changed;
}

/** Its leaves go, and the links to it and from it; pages below stay. */
export function zapShadowPage(state: State, rmap: RmapMappings, page: ShadowPage): number {
  let changed = 0;
  for (const [index, entry] of [...page.entries]) {
    const place = { page, index };
    if (entry.kind === "leaf") take(state, rmap.frameAt(place), page.level);
    if (entry.kind === "table") rmap.shadow.unlink(page, index, entry.page);
    else rmap.clear(place);
    changed += 1;
  }
  for (const parent of [...page.parents]) {
    const linked = [...parent.entries].filter(([, entry]) => entry.kind === "table" && entry.page === page);
    for (const [index] of linked) rmap.shadow.unlink(parent, index, page);
    changed += linked.length;
  }
  rmap.shadow.forget(page);
  state.zappedPages += 1;
  return changed;
}
