/** What a fault puts into an entry: the page, its rights, its level. KVM: make_spte() (v6.16). */
import type { Access } from "./access.js";
import { markDirty } from "./dirty-log.js";
import { floorTo, rangeAt } from "./frames.js";
import { allowedLevel, pfnOf } from "./huge-pages.js";
import type { Slot } from "./memslots.js";
import type { RootName } from "./shape.js";
import type { Leaf } from "./spte.js";
import type { State } from "./state.js";

export function isPrivateLeaf({ shape, privateBase }: State, root: RootName, leaf: Leaf): boolean {
  if (root === "private") return true;
  return shape.hasPrivate && shape.policy.privatePages === "own" && leaf.pfn >= privateBase;
}

/** Largest level of a leaf that is not private, logging aside. */
export function largestLevel(state: State, slot: Slot, frame: number): number {
  if (state.policy.smallLeavesOnly) return 1;
  const allowed = allowedLevel(slot, frame);
  return [3, 2].find((level) => level <= allowed && isAllShared(state, frame, level)) ?? 1;
}

/** A huge leaf over private frames would map what must not be mapped (KVM: KVM_LPAGE_MIXED_FLAG, v6.16). */
function isAllShared({ policy, attributes }: State, frame: number, level: number): boolean {
  return !policy.checksAttribute || attributes.privateIn(rangeAt(frame, level)).length === 0;
}

/** A logged slot is mapped by 4 KiB pages only, and so is private memory. */
export function goalLevel(state: State, slot: Slot, { frame, isPrivate }: Access): number {
  return isPrivate || slot.logged ? 1 : largestLevel(state, slot, frame);
}

/** A page of a writable slot is writable at once, whatever the access: the host had it writable already. */
export function newLeaf(state: State, slot: Slot, access: Access, level: number): Leaf {
  const hostWritable = !slot.readonly;
  const isExecuteOnly = state.shape.isExecuteOnly(access.issued);
  const writable = hostWritable && !isExecuteOnly;
  return {
    level,
    gfn: floorTo(state.shape.tableFrame(access.issued), level),
    pfn: floorTo(pfnFor(state, slot, access), level),
    r: !isExecuteOnly,
    w: writable,
    x: true,
    accessed: true,
    dirty: writable,
    hostWritable,
    mmuWritable: writable,
  };
}

function pfnFor(state: State, slot: Slot, { frame, canonical, isPrivate }: Access): number {
  const { shape, privateBase, config } = state;
  if (isPrivate && shape.policy.privatePages === "own") return privateBase + canonical;
  // Private memory has the upper half of all pages, so a slot's are in the lower.
  const pages = shape.hasPrivate ? privateBase : 2 ** (config.hostMaxphyaddr - 12);
  return pfnOf(slot, frame, pages);
}

/** Private pages have no log. */
export function logWrite(state: State, slot: Slot, { frame, root, vcpu }: Access, leaf: Leaf): void {
  if (leaf.w && !isPrivateLeaf(state, root, leaf)) markDirty(state, slot, frame, vcpu);
}

export const mmioGeneration = ({ memslots }: State): number =>
  (memslots.generations[0] ?? 0) % 2 ** memslots.limits.rules.mmioGenerationBits;
