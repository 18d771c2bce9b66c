/**
 * KVM's side of one fault, in its order: what is refused before any table is
 * looked at, the fast path, what no memslot holds, the host's page, and the
 * mapping itself. KVM: kvm_mmu_do_page_fault(), direct_page_fault() (v6.16).
 */
import type { Access } from "./access.js";
import { zapOtherAlias } from "./conflict.js";
import type { Entry } from "./entries.js";
import { fastFix, isPresent } from "./fast-fault.js";
import { noteHole } from "./holes.js";
import { refuseHostPage } from "./host-page.js";
import type { Slot } from "./memslots.js";
import { makePagesAvailable } from "./page-limits.js";
import { drain } from "./pml.js";
import { has } from "./rights.js";
import { faultOnShadow } from "./shadow-fault.js";
import { isApicAccessPage } from "./special-slots.js";
import type { State } from "./state.js";
import { faultOnTree } from "./tree-fault.js";
import { type Answer, READ, unserved, WRITE } from "./types.js";

/** A fault of the guest's. `entry`: what hardware's walk ended on. */
export function handleFault(state: State, access: Access, entry: Entry): Answer {
  const { counters } = state;
  counters.pf_taken += 1;
  drain(state, access.vcpu);
  const answer = resolveFault(state, access, entry);
  if (answer.result === "fixed") counters.pf_fixed += 1;
  if (answer.result === "emulate") counters.pf_emulate += 1;
  if (answer.result === "spurious") counters.pf_spurious += 1;
  return answer;
}

/** The same for whoever is not counted. */
export function resolveFault(state: State, access: Access, entry: Entry): Answer {
  const slot = visibleSlot(state, access);
  return (
    refuse(state, access, entry, slot) ?? fastFix(state, access, entry, slot) ?? slowFix(state, access, slot)
  );
}

function refuse(state: State, access: Access, entry: Entry, slot: Slot | undefined): Answer | undefined {
  const { issued, bits, isPrivate, canonical, frame } = access;
  const { shape, tracking, attributes, counters } = state;
  // The guest gets a page fault of its own.
  if (shape.isExecuteOnly(issued) && (has(bits, READ) || has(bits, WRITE))) {
    counters.pf_guest += 1;
    return unserved("retry");
  }
  const isProtected = slot !== undefined && tracking.isTracked(slot.slot, frame);
  if (isProtected && has(bits, WRITE) && isPresent(access, entry)) return unserved("writeProtected");
  const isChecked = shape.hasPrivate && shape.policy.checksAttribute;
  if (isChecked && attributes.isPrivate(canonical) !== isPrivate) return unserved("memoryFault");
  return undefined;
}

function visibleSlot({ memslots, shape }: State, { frame, issued }: Access): Slot | undefined {
  const slot = memslots.find(frame);
  return slot !== undefined && shape.sees(slot, issued) ? slot : undefined;
}

function slowFix(state: State, access: Access, slot: Slot | undefined): Answer {
  const { host } = state.config;
  if (slot !== undefined && state.windows.isOpenOver(access.frame) && !isEmulatedApic(state, slot))
    return unserved("retry");
  state.mappings.loadRoot(access.root);
  if (slot === undefined) {
    const { privateToNothing } = state.policy;
    if (access.isPrivate && privateToNothing !== undefined) return unserved(privateToNothing);
    noteHole(state, access);
    if (!host.mmioCaching || access.frame > state.maxGfn) return unserved("emulate");
    return map(state, access, undefined);
  }
  if (isEmulatedApic(state, slot)) return unserved(emulation(state, access));
  const refused = refuseWrite(state, access, slot) ?? refuseHostPage(state, access, slot);
  return refused === undefined ? map(state, access, slot) : unserved(refused);
}

const isEmulatedApic = ({ config }: State, slot: Slot): boolean =>
  !config.host.apicv && isApicAccessPage(slot);

/** Read-only for the guest, which the host is not even asked about. */
function refuseWrite(state: State, access: Access, slot: Slot) {
  return slot.readonly && has(access.bits, WRITE) ? emulation(state, access) : undefined;
}

/** Nobody emulates an access to private memory. */
const emulation = ({ policy }: State, { isPrivate }: Access) =>
  isPrivate && policy.privateToNothing !== undefined ? policy.privateToNothing : "emulate";

/** Without a slot: remembers that nothing is here, so that the next access skips the handler. */
function map(state: State, access: Access, slot: Slot | undefined): Answer {
  const { hasRoom, changed } = makePagesAvailable(state);
  if (!hasRoom) return { ...unserved("error"), sptesChanged: changed };
  if (slot === undefined) state.counters.pf_mmio_spte_created += 1;
  const zapped = slot === undefined ? 0 : zapOtherAlias(state, access, slot);
  const answer =
    state.tdp === undefined ? faultOnShadow(state, access, slot) : faultOnTree(state, access, slot);
  return { ...answer, sptesChanged: answer.sptesChanged + zapped + changed };
}
