/**
 * The host page behind a frame, as a fault asks the host for it. KVM:
 * kvm_faultin_pfn(), kvm_handle_error_pfn() (v6.16).
 */
import type { Access } from "./access.js";
import { PAGE_BYTES } from "./frames.js";
import type { Slot } from "./memslots.js";
import { has } from "./rights.js";
import type { State } from "./state.js";
import { WRITE } from "./types.js";

export const hostPageOf = (slot: Slot, frame: number): number => slot.hva / PAGE_BYTES + (frame - slot.base);

/** Whether the page is one of the slot's, and not of private memory's own. */
export const isOfSlot = ({ shape }: State, { isPrivate }: Pick<Access, "isPrivate">): boolean =>
  !isPrivate || shape.policy.privatePages === "slot";

/** Why the host's page cannot be had now; undefined if it can. */
export function refuseHostPage(state: State, access: Access, slot: Slot): "error" | "retry" | undefined {
  if (!isOfSlot(state, access)) return undefined;
  const page = hostPageOf(slot, access.frame);
  switch (state.hostMemory.stateOf(page)) {
    case "none":
      return "error";
    case "poison":
      return "retry";
    case "readonly":
      return has(access.bits, WRITE) ? "error" : undefined;
    case "io":
      return waits(state, access) ? "retry" : readIn(state, page);
    default:
      return undefined;
  }
}

/** Whether the guest does something else until the page is there. */
function waits({ config, asyncPages }: State, { vcpu, frame, issued, isAhead }: Access): boolean {
  if (!config.host.asyncPageFaults || isAhead) return false;
  return asyncPages.has(vcpu, frame) || asyncPages.add(vcpu, frame, issued);
}

function readIn({ hostMemory }: State, page: number): undefined {
  hostMemory.makeResident(page);
}

/** Whether a write may go there, as far as the host and the slot are concerned. */
export function isHostWritable(state: State, access: Access, slot: Slot): boolean {
  if (slot.readonly || !isOfSlot(state, access)) return !slot.readonly;
  return state.hostMemory.stateOf(hostPageOf(slot, access.frame)) !== "readonly";
}
