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

/** A slot has come or gone. */
export function slotsChanged(state: State): void {
  const { memslots, pageLimit, rmap } = state;
  if (pageLimit.isChosen || rmap === undefined) return;
  const pages = [...memslots.slots.values()].reduce((sum, slot) => sum + slot.pages, 0);
  changeLimit(state, rmap, Math.max(Math.floor(pages / SLOT_PAGES_EACH), LEAST));
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

/** False if there is no room for any more. */
export function makePagesAvailable(state: State, rmap: RmapMappings): boolean {
  const free = () => Math.max(state.pageLimit.most - rmap.shadow.pages.size, 0);
  if (free() >= LOW) return true;
  zapOldest(state, rmap, REFILL - free());
  return free() > 0;
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
