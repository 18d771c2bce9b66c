/**
 * KVM's side of one fault, in its order: what is refused before any table is
 * looked at, the fast path, what no memslot holds, and the mapping itself.
 */
import type { Access } from "./access.js";
import { zapOtherAlias } from "./conflict.js";
import type { Entry } from "./entries.js";
import { logWrite } from "./leaves.js";
import type { Slot } from "./memslots.js";
import { drain } from "./pml.js";
import { has } from "./rights.js";
import { faultOnShadow } from "./shadow-fault.js";
import type { State } from "./state.js";
import { faultOnTree } from "./tree-fault.js";
import { type Answer, READ, unserved, WRITE } from "./types.js";

/** `entry`: what hardware's walk ended on. */
export function handleFault(state: State, access: Access, entry: Entry): Answer {
  const { counters } = state;
  counters.pf_taken += 1;
  drain(state, access.vcpu);
  const answer = refuse(state, access) ?? fastFix(state, access, entry) ?? slowFix(state, access);
  if (answer.result === "fixed") counters.pf_fixed += 1;
  if (answer.result === "emulate") counters.pf_emulate += 1;
  if (answer.result === "spurious") counters.pf_spurious += 1;
  return answer;
}

function refuse(state: State, { issued, bits, isPrivate, canonical }: Access): Answer | undefined {
  const wantsData = has(bits, READ) || has(bits, WRITE);
  // The guest gets a page fault of its own.
  if (state.shape.isExecuteOnly(issued) && wantsData) return unserved("retry");
  const isChecked = state.shape.hasPrivate && state.policy.checksAttribute;
  if (isChecked && state.attributes.isPrivate(canonical) !== isPrivate) return unserved("memoryFault");
  return undefined;
}

/** A write to a leaf that only dirty logging protects needs no lock. */
function fastFix(state: State, access: Access, entry: Entry): Answer | undefined {
  if (entry.kind !== "leaf" || !has(access.bits, WRITE)) return undefined;
  const { leaf } = entry;
  const slot = visibleSlot(state, access);
  if (!leaf.mmuWritable || leaf.w || slot === undefined) return undefined;
  if (slot.logged && leaf.level > 1) return undefined;
  leaf.w = true;
  logWrite(state, slot, access, leaf);
  state.counters.pf_fast += 1;
  return { result: "fixed", level: leaf.level, sptesChanged: 1 };
}

function visibleSlot({ memslots, shape }: State, { frame, issued }: Access): Slot | undefined {
  const slot = memslots.find(frame);
  return slot !== undefined && shape.sees(slot, issued) ? slot : undefined;
}

function slowFix(state: State, access: Access): Answer {
  state.mappings.loadRoot(access.root);
  const slot = visibleSlot(state, access);
  const isWritten = has(access.bits, WRITE);
  if (slot !== undefined && !(slot.readonly && isWritten)) return map(state, access, slot);
  const { privateToNothing } = state.policy;
  if (access.isPrivate && privateToNothing !== undefined) return unserved(privateToNothing);
  if (slot !== undefined || access.frame > state.maxGfn) return unserved("emulate");
  state.counters.pf_mmio_spte_created += 1;
  return map(state, access, undefined);
}

/** Without a slot: remembers that nothing is here, so that the next access skips the handler. */
function map(state: State, access: Access, slot: Slot | undefined): Answer {
  const zapped = slot === undefined ? 0 : zapOtherAlias(state, access, slot);
  const answer =
    state.tdp === undefined ? faultOnShadow(state, access, slot) : faultOnTree(state, access, slot);
  return { ...answer, sptesChanged: answer.sptesChanged + zapped };
}
