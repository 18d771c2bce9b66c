/**
 * Rules about remembered translations: none may outlive the flush that owed
 * its removal, and none may let a write past the dirty log.
 */
import { floorTo, meets, type Range, rangeAt, span } from "./frames.js";
import { violate } from "./judge.js";
import type { Slot } from "./memslots.js";
import { isThere } from "./remembered-links.js";
import type { Leaf } from "./spte.js";
import type { State } from "./state.js";
import type { TlbEntry } from "./tlb.js";

/**
 * Every frame of which an entry says more than the tables do, and should be gone by now; and every link to a table that
 * is gone, all of it, whichever of its frames were asked for.
 */
export function judgeCompletedFlush(state: State, range: Range): void {
  const { lives, shape } = state;
  for (const entry of state.tlbs.flatMap((tlb) => tlb.entries())) {
    if (entry.life !== lives[entry.root]) continue;
    for (const issued of framesAsked(state, entry, range))
      if (exceeds(state, entry, issued)) entry.overdue.add(issued);
  }
  for (const link of state.links.flatMap((links) => links.all())) {
    const isAsked = meets(rangeAt(shape.slotFrame(link.first), link.level), range);
    if (isAsked && link.life === lives[link.root] && !isThere(state, link)) link.overdue = true;
  }
}

/** Those of the entry's frames that are of these frames of memslots. */
function framesAsked({ shape }: State, { first, size }: TlbEntry, { start, end }: Range): number[] {
  const offset = first - shape.slotFrame(first);
  const from = Math.max(first, start + offset);
  const to = Math.min(first + span(size), end + offset);
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
}

function exceeds(state: State, { root, first, rights, pfn }: TlbEntry, issued: number): boolean {
  const { entry } = state.mappings.walk(root, issued);
  if (entry.kind !== "leaf") return true;
  const { leaf } = entry;
  const { r, x } = leaf.saved ?? leaf;
  // Ageing owes no flush: what it put aside may be remembered, and W until a log is about to miss the page.
  const isAged = leaf.adDisabled && leaf.mmuWritable && isNoted(state, issued);
  const w = (leaf.w && leaf.dirty) || isAged;
  return (
    (rights.r && !r) || (rights.w && !w) || (rights.x && !x) || pfnAt(leaf, issued) !== pfn + issued - first
  );
}

/** Whether a write to the page needs nobody's attention. */
function isNoted({ memslots, shape }: State, issued: number): boolean {
  const frame = shape.slotFrame(issued);
  const slot = memslots.find(frame);
  return slot === undefined || !slot.logged || slot.dirty?.has(frame - slot.base) === true;
}

/** The page behind one frame of a leaf. */
export function pfnAt(leaf: Leaf, frame: number): number {
  return leaf.pfn + (frame - floorTo(frame, leaf.level));
}

/** Once for what has come together: all that the entry owes is forgiven. */
export function judgeTlbUse(state: State, entry: TlbEntry, issued: number): void {
  if (!entry.overdue.has(issued)) return;
  violate(state, "stale-translation");
  entry.overdue.clear();
}

/** A write that no entry was asked about must be in the log already, or is lost to it. */
export function judgeTlbWrite(state: State, issued: number, pfn: number): void {
  const { shape, memslots, privateBase } = state;
  if (shape.isPrivate(issued)) return;
  // Private memory is not logged, whoever reaches it.
  if (shape.hasPrivate && shape.policy.privatePages === "own" && pfn >= privateBase) return;
  const canonical = shape.aliases.canonical(issued);
  const frames =
    shape.policy.slotFrames === "issued"
      ? shape.aliases.all().map((a) => shape.issue(canonical, a))
      : [canonical];
  const slots = frames.flatMap((frame) => {
    const slot = memslots.find(frame);
    return slot === undefined ? [] : [{ slot, page: frame - slot.base }];
  });
  const isLogged = slots.some(({ slot }) => slot.dirty !== undefined);
  if (isLogged && !slots.some(({ slot, page }) => isKnown(state, slot, page))) violate(state, "dirty-lost");
}

/**
 * In a bitmap, or on its way there from a page-modification log. A ring tells of a page once, and what userspace makes
 * of that is nobody's business.
 */
function isKnown({ pml, shape }: State, slot: Slot, page: number): boolean {
  if (slot.dirty?.has(page)) return true;
  return [...pml.values()].flat().some((issued) => shape.slotFrame(issued) === slot.base + page);
}
