/**
 * The mapping part of a fault, flavour rmap. KVM: direct_map(),
 * link_shadow_page(), mmu_set_spte() (v6.16).
 */
import type { Access } from "./access.js";
import { flushEntry, take } from "./flush.js";
import { floorTo } from "./frames.js";
import { isWriteProtected, logWrite, mmioGeneration, newLeaf, type Wish, wishOf } from "./leaves.js";
import type { Slot } from "./memslots.js";
import { prefetchAround } from "./prefetch.js";
import type { Place } from "./reverse-maps.js";
import type { RmapMappings } from "./rmap-mappings.js";
import { indexOf, type ShadowPage } from "./shadow-pages.js";
import { type Leaf, renderLeaf } from "./spte.js";
import type { State } from "./state.js";
import { type Answer, unserved } from "./types.js";

export function faultOnShadow(state: State, access: Access, slot: Slot | undefined): Answer {
  if (state.rmap === undefined) throw new Error("no shadow pages in this flavour");
  const { page, changed } = descend(state, state.rmap, access, wishOf(state, slot, access));
  const { level } = page;
  const place = { page, index: indexOf(access.issued, level) };
  const answer =
    slot === undefined
      ? unserved("emulate", putMmio(state, access, place))
      : putLeaf(state, state.rmap, access, slot, place, newLeaf(state, slot, access, level));
  const isAhead = level === 1 && !access.isPrivate && answer.result !== "spurious";
  const ahead = isAhead ? prefetchAround(state, state.rmap, access, place) : 0;
  return { ...answer, sptesChanged: changed + answer.sptesChanged + ahead };
}

function descend(state: State, rmap: RmapMappings, access: Access, wish: Wish) {
  let page = rmap.shadow.get(access.root, rmap.shadow.rootLevel, 0);
  let goal = wish.level;
  let changed = 0;
  for (;;) {
    const entry = rmap.entryAt({ page, index: indexOf(access.issued, page.level) });
    const isKept = state.config.host.nxHugePages && entry.kind === "table" && entry.page.isNx;
    if (page.level === goal && goal > 1 && isKept) goal -= 1;
    if (page.level === goal) return { page, changed };
    const step = follow(state, rmap, access, page, wish);
    changed += step.changed;
    page = step.child;
  }
}

/** The page below, linked if it was not. A huge leaf in its place goes, and is flushed. */
function follow(state: State, rmap: RmapMappings, access: Access, page: ShadowPage, wish: Wish) {
  const place = { page, index: indexOf(access.issued, page.level) };
  const entry = rmap.entryAt(place);
  if (entry.kind === "table") return { child: entry.page, changed: 0 };
  if (entry.kind === "leaf") drop(state, rmap, access, place);
  const child = rmap.shadow.get(access.root, page.level - 1, childFrame(state, access, page));
  rmap.shadow.link(page, place.index, child);
  if (wish.isSmall) rmap.shadow.markNx(child, wish.requested >= page.level);
  if (entry.kind === "leaf") flushEntry(state, access.frame, page.level);
  return { child, changed: entry.kind === "leaf" ? 2 : 1 };
}

const childFrame = ({ shape }: State, { issued }: Access, { level }: ShadowPage): number =>
  floorTo(shape.tableFrame(issued), level);

function drop(state: State, rmap: RmapMappings, { issued }: Access, place: Place): void {
  rmap.clear(place);
  take(state, floorTo(issued, place.page.level), place.page.level);
}

function putMmio(state: State, { frame }: Access, { page, index }: Place): number {
  const generation = mmioGeneration(state);
  const old = page.entries.get(index);
  if (old?.kind === "leaf" || old?.kind === "table") throw new Error("a hole is mapped");
  if (old?.kind === "mmio" && old.generation === generation && old.gfn === frame) return 0;
  page.entries.set(index, { kind: "mmio", generation, gfn: frame });
  return 1;
}

function putLeaf(
  state: State,
  rmap: RmapMappings,
  access: Access,
  slot: Slot,
  place: Place,
  leaf: Leaf,
): Answer {
  const { level } = leaf;
  const old = rmap.entryAt(place);
  if (old.kind === "leaf" && access.isAhead && old.leaf.pfn === leaf.pfn)
    return { result: "spurious", level, sptesChanged: 0 };
  if (old.kind === "leaf" && renderLeaf(old.leaf) === renderLeaf(leaf))
    return isWriteProtected(state, slot, access)
      ? unserved("writeProtected")
      : { result: "spurious", level, sptesChanged: 0 };
  if (old.kind === "table") {
    rmap.shadow.unlink(place.page, place.index, old.page);
    take(state, floorTo(access.issued, level), level);
  }
  const isOther = old.kind === "leaf" && old.leaf.pfn !== leaf.pfn;
  if (isOther) drop(state, rmap, access, place);
  const isBack = old.kind === "blocked" && old.pfn === leaf.pfn;
  rmap.put(slot, place, leaf, !isBack && (old.kind !== "leaf" || isOther));
  logWrite(state, slot, access, leaf);
  const isReplaced = old.kind === "table" || isOther;
  if (isReplaced) flushEntry(state, access.frame, level);
  const sptesChanged = isReplaced ? 2 : 1;
  if (isWriteProtected(state, slot, access)) return unserved("writeProtected", sptesChanged);
  return { result: isBack ? "unzapped" : "fixed", level, sptesChanged };
}
