/**
 * One access: what hardware makes of it, and what KVM answers when hardware
 * cannot. KVM: kvm_mmu_page_fault() (v6.16), for one thread, so that nothing
 * is retried but what a strategy, or the host, makes a guest retry.
 */

import type { Walk } from "./entries.js";
import { floorTo } from "./frames.js";
import { isKnownHole } from "./holes.js";
import { judgeAnswer, judgeServed } from "./judge-access.js";
import { judgeTlbUse, judgeTlbWrite, pfnAt } from "./judge-tlb.js";
import { handleFault } from "./page-fault.js";
import { drain, noteWrite } from "./pml.js";
import { forgetWay, rememberWay, tablesSpared } from "./remembered-links.js";
import { allows, has } from "./rights.js";
import type { RootName } from "./shape.js";
import type { Leaf } from "./spte.js";
import type { State } from "./state.js";
import type { Tlb, TlbEntry, TlbTag } from "./tlb.js";
import { type Answer, type ReferenceEvent, unserved, WRITE } from "./types.js";

export interface Access {
  readonly bits: number;
  readonly vcpu: number;
  /** As hardware sees it. */
  readonly issued: number;
  readonly canonical: number;
  /** As memslots hold it. */
  readonly frame: number;
  readonly alias: number;
  readonly isPrivate: boolean;
  readonly root: RootName;
  /** Nobody accesses: the page is mapped ahead. */
  readonly isAhead: boolean;
}

interface Tried extends Answer {
  readonly tablesRead: number;
}

export function accessTo({ shape }: State, issued: number, bits: number, vcpu: number): Access {
  return {
    ...{ issued, bits, vcpu },
    canonical: shape.aliases.canonical(issued),
    frame: shape.slotFrame(issued),
    alias: shape.aliases.aliasOf(issued),
    isPrivate: shape.isPrivate(issued),
    root: shape.rootOf(issued),
    isAhead: false,
  };
}

/** As a fault on a page that is mapped ahead; `bits` are 0 if not even a read is meant. */
export const aheadAt = (state: State, issued: number, bits: number, vcpu: number): Access => ({
  ...accessTo(state, issued, bits, vcpu),
  isAhead: true,
});

export function tryAccess(state: State, event: ReferenceEvent): Tried {
  const access = accessTo(state, state.shape.issuedFrame(event.gpa), event.access, event.vcpu);
  const cached = fromTlb(state, access);
  if (cached !== undefined) return { ...cached, tablesRead: 0 };
  const spared = tablesSpared(state, access);
  const walk = state.mappings.walk(access.root, access.issued);
  return { ...answer(state, access, walk, spared), tablesRead: walk.tablesRead - spared };
}

function answer(state: State, access: Access, walk: Walk, spared: number): Answer {
  const leaf = translate(state, access, spared);
  if (leaf !== undefined) return { result: "hit", level: leaf.level, sptesChanged: 0 };
  // A misconfiguration that KVM planted, and no slot has come or gone since. No counter sees it.
  const { entry } = walk;
  forgetWay(state, access);
  drain(state, access.vcpu);
  const first = isKnownHole(state, access, entry) ? unserved("emulate") : handleFault(state, access, entry);
  countExit(state, first);
  if (!goesOn(first)) return first;
  return again(state, access, first);
}

function countExit({ counters }: State, { result }: Answer): void {
  counters.exits += 1;
  if (result === "emulate" || result === "writeProtected") counters.insn_emulation += 1;
  if (result === "emulate") counters.mmio_exits += 1;
}

const goesOn = ({ result }: Answer): boolean => ["fixed", "spurious", "unzapped"].includes(result);

/** KVM says that the guest can go on. If it cannot, it faults once more and has shown that it never will. */
function again(state: State, access: Access, first: Answer): Answer {
  const leaf = translate(state, access, 0);
  const final = leaf === undefined ? stuck(state, access, first) : first;
  judgeAnswer(state, access, final, leaf);
  return final;
}

function stuck(state: State, access: Access, first: Answer): Answer {
  if (state.policy.tableFrames === "issued")
    throw new Error(`answered ${first.result}, and the access still faults`);
  const { entry } = state.mappings.walk(access.root, access.issued);
  const second = handleFault(state, access, entry);
  countExit(state, second);
  const changed = first.sptesChanged + second.sptesChanged;
  if (second.result === "writeProtected" || second.result === "error")
    return unserved(second.result, changed);
  if (!goesOn(second)) throw new Error(`answered ${first.result}, then ${second.result}`);
  return unserved("stuck", changed);
}

/** Hardware alone: permissions suffice, it notes the use in the entry and remembers it, and how it got there. */
function translate(state: State, access: Access, spared: number): Leaf | undefined {
  const { entry } = state.mappings.walk(access.root, access.issued);
  if (entry.kind !== "leaf" || !allows(entry.leaf, access.bits)) return undefined;
  const { leaf } = entry;
  if (!leaf.adDisabled) leaf.accessed = true;
  if (!leaf.adDisabled && has(access.bits, WRITE) && !leaf.dirty) {
    leaf.dirty = true;
    noteWrite(state, access.vcpu, access.issued);
  }
  const tlb = state.tlbs[access.vcpu];
  tlb?.fill(remembered(state, access, leaf, tlb.heldSize(leaf.level)));
  rememberWay(state, access, spared);
  judgeServed(state, access, pfnAt(leaf, access.issued));
  return leaf;
}

/** Where hardware sets Dirty, a clean leaf is remembered without W, so that the first write walks and sets Dirty. */
function remembered({ lives }: State, { root, issued }: Access, leaf: Leaf, size: number): TlbEntry {
  const { r, w, x, dirty, level, adDisabled } = leaf;
  const rights = { r, w: w && (dirty || adDisabled), x };
  const first = floorTo(issued, size);
  const overdue = new Set<number>();
  return { root, life: lives[root], first, size, rights, pfn: pfnAt(leaf, first), level, overdue };
}

const tagOf = ({ lives }: State, { root, issued }: Access): TlbTag => ({ root, life: lives[root], issued });

function fromTlb(state: State, access: Access): Answer | undefined {
  const tlb = state.tlbs[access.vcpu];
  const entry = tlb?.find(tagOf(state, access));
  if (tlb === undefined || entry === undefined) return undefined;
  if (!allows(entry.rights, access.bits)) {
    forget(tlb, tagOf(state, access));
    return undefined;
  }
  tlb.refresh(entry);
  judgeTlbUse(state, entry, access.issued);
  const pfn = entry.pfn + access.issued - entry.first;
  if (has(access.bits, WRITE)) judgeTlbWrite(state, access.issued, pfn);
  judgeServed(state, access, pfn);
  return { result: "hit", level: entry.level, sptesChanged: 0 };
}

/** The frame, in whatever sizes it is remembered. */
function forget(tlb: Tlb, tag: TlbTag): void {
  for (let entry = tlb.find(tag); entry !== undefined; entry = tlb.find(tag)) tlb.remove(entry);
}
