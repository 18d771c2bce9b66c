/**
 * Leaves that go: over a range, with a slot, when the host takes memory back,
 * when frames change between private and shared, or all at once. KVM:
 * kvm_zap_gfn_range(), kvm_unmap_gfn_range(), kvm_mmu_zap_memslot(),
 * kvm_arch_pre_set_memory_attributes(), kvm_mmu_zap_all_fast() (v6.16).
 */
import { common } from "./attributes.js";
import { conversionWindow } from "./conversion-window.js";
import { flushAll, flushEntry, flushRange, take } from "./flush.js";
import { meets, moved, type Range, rangeAt, sizeOf } from "./frames.js";
import { framesOnHost, spotsOnHost } from "./host-ranges.js";
import { violate } from "./judge.js";
import type { Spot } from "./mappings.js";
import type { Slot } from "./memslots.js";
import type { State } from "./state.js";

const isPrivate = ({ root }: Spot): boolean => root === "private";
const isShared = (spot: Spot): boolean => !isPrivate(spot);

function clear(state: State, spots: readonly Spot[]): number {
  for (const spot of spots) {
    if (spot.leaf !== undefined) take(state, spot.frame, spot.level);
    spot.clear();
  }
  return spots.length;
}

/** Each by itself: blocked, flushed, dropped. One that is blocked already needs no flush. */
export function zapPrivateSpots(state: State, spots: readonly Spot[]): number {
  let changed = 0;
  for (const spot of spots) {
    if (spot.leaf !== undefined) {
      take(state, spot.frame, spot.level);
      spot.block();
      flushEntry(state, state.shape.slotFrame(spot.frame), 1);
      changed += 1;
    }
    changed += 1;
    spot.clear();
  }
  return changed;
}

/** Present leaves count twice where they are blocked first. */
function clearBlockedFirst(state: State, spots: readonly Spot[]): number {
  const blocked = spots.filter((spot) => isPrivate(spot) && spot.leaf !== undefined);
  return clear(state, spots) + blocked.length;
}

/** As the strategy zaps; whether a flush is owed for what hardware could reach. */
function zapSpots(state: State, all: readonly Spot[]): { changed: number; isAny: boolean } {
  const { privateZap } = state.policy;
  const isEach = privateZap === "each-flushed";
  const alone = isEach ? zapPrivateSpots(state, all.filter(isPrivate)) : 0;
  const spots = isEach ? all.filter(isShared) : all;
  const isAny = spots.some(({ leaf }) => leaf !== undefined);
  const changed = privateZap === "blocked-first" ? clearBlockedFirst(state, spots) : clear(state, spots);
  return { changed: alone + changed, isAny };
}

/** A zap event. Twins of a slot are zapped, and flushed, one alias after the other. */
export function zapRange(state: State, range: Range): number {
  const { aliases, policy } = state.shape;
  if (policy.slotFrames === "canonical") return zapFrames(state, range);
  return aliases.all().reduce((sum, alias) => sum + zapFrames(state, moved(range, aliases.offset(alias))), 0);
}

function zapFrames(state: State, range: Range): number {
  const { windows } = state;
  windows.begin([range]);
  const { changed, isAny } = zapSpots(state, state.mappings.spotsIn(range));
  if (isAny) flushRange(state, range);
  windows.end();
  return changed;
}

/** The host takes memory back, in one go. */
export function invalidateHva(state: State, hva: Range): number {
  const changed = beginHva(state, hva);
  endHva(state, hva);
  return changed;
}

/** A window opens: what maps the memory goes. KVM: kvm_mmu_notifier_invalidate_range_start(). */
export function beginHva(state: State, hva: Range): number {
  const met = framesOnHost(state, hva).map(({ range }) => range);
  state.windows.active += 1;
  if (met.length > 0) state.windows.begin(met);
  return unmapHva(state, hva);
}

/** ... and closes. One that nobody opened is no window. */
export function endHva(state: State, hva: Range): void {
  const { windows } = state;
  if (windows.active === 0) return;
  windows.active -= 1;
  if (windows.inProgress > 0 && framesOnHost(state, hva).length > 0) windows.end();
}

/** Private memory may have no host address, or be blocked until it is asked for again. */
function unmapHva(state: State, hva: Range): number {
  const { onHostUnmap } = state.policy;
  const present = spotsOnHost(state, hva).filter(({ leaf }) => leaf !== undefined);
  const changed = onHostUnmap === "zap" ? clear(state, present) : clear(state, present.filter(isShared));
  const blocked = onHostUnmap === "block" ? present.filter(isPrivate) : [];
  for (const spot of blocked) spot.block();
  if (changed + blocked.length > 0) flushAll(state);
  judgeUnmapped(state, hva);
  return changed + blocked.length;
}

/** Of each slot's share, nothing may be reached any more, whether a slot's list has it or its last slot lost it. */
function judgeUnmapped(state: State, hva: Range): void {
  const { mappings, policy, shape } = state;
  for (const { range: frames } of framesOnHost(state, hva)) {
    const views = shape
      .views(frames)
      .filter(({ root }) => root !== "private" || policy.onHostUnmap !== "keep");
    const isLeft = views.some(({ root, range }) =>
      mappings
        .reached(root)
        .some(({ frame, entry }) => entry.kind === "leaf" && meets(rangeAt(frame, entry.leaf.level), range)),
    );
    if (isLeft) violate(state, "alias-left-mapped");
  }
}

/** Every direct root goes, and the next access makes a new one. */
export function zapAllFast(state: State): number {
  const { entries, pages } = state.mappings.dropDirect();
  state.lives.direct += 1;
  if (state.rmap !== undefined) {
    state.zappedPages += pages;
    if (pages > 1) flushAll(state);
  }
  return entries;
}

/** What a slot that goes, or moves, takes along. */
export function zapSlot(state: State, slot: Slot): number {
  const { slotGone } = state.policy;
  const spots = slot.asId === 0 ? state.mappings.spotsOf(slot) : [];
  if (slotGone === "leaves" || !state.config.host.slotZapAll) {
    const { changed, isAny } = zapSpots(state, spots);
    if (isAny) flushAll(state);
    return changed;
  }
  const dropped = zapAllFast(state);
  if (slotGone === "direct-roots") return dropped;
  const { changed, isAny } = zapSpots(state, spots.filter(isPrivate));
  if (isAny) flushRange(state, { start: slot.base, end: slot.base + slot.pages });
  return dropped + changed;
}

/** KVM_SET_MEMORY_ATTRIBUTES: what the frames are from now on. */
export function convert(state: State, range: Range, toPrivate: boolean): number {
  const { attributes, policy } = state;
  const differing = attributes.differing(range, toPrivate);
  let changed = 0;
  if (differing.length > 0 && policy.onConversion !== "store") {
    const met = conversionWindow(state, range);
    if (met.length > 0) state.windows.begin(met);
    if (met.length > 0) state.windows.end();
    const opposite = toPrivate ? isShared : isPrivate;
    changed = clear(state, state.mappings.spotsIn(range).filter(opposite));
    if (changed > 0 && policy.onConversion === "zap-flush-all") flushAll(state);
    if (changed > 0 && policy.onConversion === "zap-flush-range") flushRange(state, range);
  }
  attributes.set(range, toPrivate);
  if (policy.countsCoexisting) state.coexisting += pagesLive(state, differing, toPrivate ? 1 : 0);
  return changed;
}

/** Pages of the ranges that hardware reaches through an alias. */
function pagesLive({ shape, mappings }: State, ranges: readonly Range[], alias: number): number {
  const { aliases } = shape;
  const leaves = mappings
    .reached(shape.rootOf(aliases.offset(alias)))
    .flatMap(({ frame, entry }) => (entry.kind === "leaf" ? [rangeAt(frame, entry.leaf.level)] : []));
  const windows = ranges.map((range) => moved(range, aliases.offset(alias)));
  return leaves
    .flatMap((leaf) => windows.flatMap((window) => common(leaf, window)))
    .reduce((sum, range) => sum + sizeOf(range), 0);
}
