/** What a fault puts into an entry: the page, its rights, its level. KVM: make_spte() (v6.16). */
import type { Access } from "./access.js";
import { markDirty } from "./dirty-log.js";
import { floorTo, rangeAt } from "./frames.js";
import { hostPageOf, isHostWritable, isOfSlot } from "./host-page.js";
import { fitsSlot, pfnOf } from "./huge-pages.js";
import type { Slot } from "./memslots.js";
import type { NxMark } from "./paging.js";
import { has } from "./rights.js";
import type { RootName } from "./shape.js";
import { type Leaf, makeOld } from "./spte.js";
import type { State } from "./state.js";
import { FETCH, WRITE } from "./types.js";

export function isPrivateLeaf({ shape, privateBase }: State, root: RootName, leaf: Leaf): boolean {
  if (root === "private") return true;
  return shape.hasPrivate && shape.policy.privatePages === "own" && leaf.pfn >= privateBase;
}

/** Largest level of a leaf that is not private, logging aside. */
export function largestLevel(state: State, slot: Slot, frame: number): number {
  if (state.policy.smallLeavesOnly) return 1;
  const isAllowed = (level: number): boolean =>
    fitsSlot(slot, frame, level) &&
    !state.tracking.forbids(slot.slot, frame, level) &&
    isAllShared(state, frame, level) &&
    isHostPage(state, slot, frame, level);
  return [3, 2].find(isAllowed) ?? 1;
}

function isHostPage({ hostMemory }: State, slot: Slot, frame: number, level: number): boolean {
  return hostMemory.allows(hostPageOf(slot, floorTo(frame, level)), level, slot.backing);
}

/** A huge leaf over private frames would map what must not be mapped (KVM: KVM_LPAGE_MIXED_FLAG, v6.16). */
function isAllShared({ policy, attributes }: State, frame: number, level: number): boolean {
  return !policy.checksAttribute || attributes.privateIn(rangeAt(frame, level)).length === 0;
}

/** How large a leaf a fault wants, and could want if nothing forbade it to execute from a huge one. */
export interface Wish extends NxMark {
  readonly level: number;
}

/** A logged slot is mapped by 4 KiB pages only, and so is private memory, and nothing. */
export function wishOf(state: State, slot: Slot | undefined, { frame, isPrivate, bits }: Access): Wish {
  const isSmall = state.config.host.nxHugePages && has(bits, FETCH);
  const isAnySize = slot !== undefined && !isPrivate && !slot.logged;
  const requested = isAnySize ? largestLevel(state, slot, frame) : 1;
  return { level: isSmall ? 1 : requested, requested, isSmall };
}

/** The page was mapped, and its writes are watched: this one is for whoever watches. */
export const isWriteProtected = ({ tracking }: State, slot: Slot, { frame, bits }: Access): boolean =>
  has(bits, WRITE) && tracking.isTracked(slot.slot, frame);

/**
 * A page that the host has writable is so at once, whatever the access, unless
 * its writes are watched. Huge pages are not executed under the iTLB
 * workaround, and a page that is mapped ahead is not young.
 */
export function newLeaf(state: State, slot: Slot, access: Access, level: number): Leaf {
  const hostWritable = isHostWritable(state, access, slot);
  const isExecuteOnly = state.shape.isExecuteOnly(access.issued);
  const isWatched = state.tracking.isTracked(slot.slot, access.frame);
  const writable = hostWritable && !isExecuteOnly && !isWatched;
  const { nxHugePages, adBits } = state.config.host;
  const leaf: Leaf = {
    level,
    gfn: floorTo(state.shape.tableFrame(access.issued), level),
    pfn: floorTo(pfnFor(state, slot, access), level),
    r: !isExecuteOnly,
    w: writable,
    x: level === 1 || !nxHugePages,
    accessed: true,
    dirty: writable,
    hostWritable,
    mmuWritable: writable,
    adDisabled: !adBits,
    saved: undefined,
  };
  if (access.isAhead) makeOld(leaf);
  return leaf;
}

function pfnFor(state: State, slot: Slot, access: Access): number {
  const { shape, privateBase, config, hostMemory } = state;
  if (!isOfSlot(state, access)) return privateBase + access.canonical;
  // Private memory has the upper half of all pages, so a slot's are in the lower.
  const pages = shape.hasPrivate ? privateBase : 2 ** (config.hostMaxphyaddr - 12);
  return hostMemory.pfnOf(hostPageOf(slot, access.frame)) ?? pfnOf(slot, access.frame, pages);
}

/** Private pages have no log. */
export function logWrite(state: State, slot: Slot, { frame, root, vcpu }: Access, leaf: Leaf): void {
  if (leaf.w && !isPrivateLeaf(state, root, leaf)) markDirty(state, slot, frame, vcpu);
}

export const mmioGeneration = ({ memslots }: State): number =>
  (memslots.generations[0] ?? 0) % 2 ** memslots.limits.rules.mmioGenerationBits;
