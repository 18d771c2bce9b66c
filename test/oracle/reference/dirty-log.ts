/**
 * Which pages are dirty, and how userspace gets to know: bitmaps, read and
 * cleared at once or cleared by themselves. KVM: mark_page_dirty_in_slot(),
 * kvm_get_dirty_log_protect(), kvm_clear_dirty_log_protect() (v6.16).
 */
import { flushRange } from "./flush.js";
import type { Range } from "./frames.js";
import { type Slot, TWINS } from "./memslots.js";
import { drainAll } from "./pml.js";
import { rearm } from "./rearm.js";
import type { State } from "./state.js";
import { Refusal } from "./types.js";

export interface TakenLog {
  /** Pages of the slot that were dirty, lowest first. */
  readonly pages: readonly number[];
  readonly sptesChanged: number;
}

const WORD_PAGES = 64;

/** `vcpu`: the one that runs, whose ring it is. A twin's pages are told as the slot's own. */
export function markDirty(state: State, slot: Slot, gfn: number, vcpu: number): void {
  if (!slot.logged) return;
  const page = gfn - slot.base;
  if (state.memslots.logging.ringEntries === undefined) slot.dirty?.add(page);
  else state.rings.get(vcpu)?.push({ slot: slot.slot % TWINS, page });
}

/** The slot of an ioctl, if it has a bitmap. `late`: what is wrong with the request besides. */
export function loggedSlot({ memslots }: State, slotArgument: number, late?: Refusal): Slot {
  const { limits, logging, slots } = memslots;
  if (logging.ringEntries !== undefined) throw new Refusal("ERR_DIRTY_RING", "ENXIO");
  const isId = slotArgument % 65536 < limits.rules.userSlots;
  if (!isId || Math.floor(slotArgument / 65536) >= limits.addressSpaces)
    throw new Refusal("ERR_DIRTY_LOG", "EINVAL");
  if (late !== undefined) throw late;
  const slot = slots.get(slotArgument);
  if (slot?.dirty === undefined) throw new Refusal("ERR_NO_DIRTY_LOG", "ENOENT");
  return slot;
}

/** KVM_GET_DIRTY_LOG of a slot and of its twins, one after the other. */
export function takeLogs(state: State, slot: Slot): TakenLog {
  drainAll(state);
  const logs = [slot, ...state.memslots.twinsOf(slot)].map((each) => takeLog(state, each));
  const pages = [...new Set(logs.flatMap((log) => log.pages))].sort((a, b) => a - b);
  return { pages, sptesChanged: logs.reduce((sum, log) => sum + log.sptesChanged, 0) };
}

/** Under manual protection it only looks. */
function takeLog(state: State, slot: Slot): TakenLog {
  const pages = [...(slot.dirty ?? [])].sort((a, b) => a - b);
  if (state.memslots.logging.manual) return { pages, sptesChanged: 0 };
  return { pages, sptesChanged: cleanPages(state, slot, pages) };
}

export interface ClearRequest {
  readonly first: number;
  readonly count: number;
  readonly isAsked: (page: number) => boolean;
  /** The mask cannot be read. */
  readonly copyFails?: boolean;
}

/** KVM_CLEAR_DIRTY_LOG: of `count` pages from `first`, those that the mask has; the checks in KVM's order. */
export function clearLog(state: State, slotArgument: number, request: ClearRequest): number {
  const { first, count, isAsked, copyFails = false } = request;
  const badStart = first % WORD_PAGES === 0 ? undefined : new Refusal("ERR_DIRTY_LOG", "EINVAL");
  const slot = loggedSlot(state, slotArgument, badStart);
  const isInside = first <= slot.pages && count <= slot.pages - first;
  const reachesEnd = first + count === slot.pages;
  if (!isInside || (count % WORD_PAGES !== 0 && !reachesEnd)) throw new Refusal("ERR_DIRTY_LOG", "EINVAL");
  // Whole words are copied: of none, nothing can fail.
  if (copyFails && count > 0) throw new Refusal("ERR_COPY", "EFAULT");
  drainAll(state);
  return [slot, ...state.memslots.twinsOf(slot)].reduce(
    (sum, each) => sum + cleanPages(state, each, dirtyIn(each, first, first + count).filter(isAsked)),
    0,
  );
}

/** Every bit of the windows that meet these frames. */
export function clearWindows(state: State, slot: Slot, { start, end }: Range): number {
  const first = Math.max(start - slot.base, 0);
  const last = Math.min(end - slot.base, slot.pages) - 1;
  const from = first - (first % WORD_PAGES);
  const to = Math.min(last - (last % WORD_PAGES) + WORD_PAGES, slot.pages);
  return clearLog(state, slot.slot, { first: from, count: to - from, isAsked: () => true });
}

function dirtyIn({ dirty }: Slot, start: number, end: number): number[] {
  return [...(dirty ?? [])].filter((page) => page >= start && page < end).sort((a, b) => a - b);
}

/** Takes the bits away; each word's pages will be noticed again. */
function cleanPages(state: State, slot: Slot, pages: readonly number[]): number {
  if (pages.length === 0) return 0;
  for (const page of pages) slot.dirty?.delete(page);
  const words = new Map<number, number[]>();
  for (const page of pages) {
    const word = Math.floor(page / WORD_PAGES);
    words.set(word, [...(words.get(word) ?? []), page]);
  }
  const changed = [...words.values()].reduce((sum, word) => sum + rearm(state, slot, word), 0);
  flushRange(state, { start: slot.base, end: slot.base + slot.pages });
  return changed;
}
