/**
 * KVM itself writes guest memory, as for a clock that the guest shares with
 * it: page by page, each marked dirty, until one cannot be written. KVM:
 * kvm_write_guest(), __kvm_write_guest_page() (v6.16).
 */
import { markDirty } from "./dirty-log.js";
import { frameOf, PAGE_BYTES } from "./frames.js";
import { hostPageOf } from "./host-page.js";
import type { State } from "./state.js";

/** Returns the bytes written. */
export function guestWrite(state: State, gpa: number, bytes: number, vcpu: number): number {
  let done = 0;
  while (done < bytes) {
    const at = gpa + done;
    if (!writePage(state, frameOf(at), vcpu)) break;
    done += Math.min(bytes - done, PAGE_BYTES - (at % PAGE_BYTES));
  }
  return done;
}

function writePage(state: State, frame: number, vcpu: number): boolean {
  const slot = state.memslots.find(frame);
  if (slot === undefined || slot.readonly) return false;
  const page = hostPageOf(slot, frame);
  const host = state.hostMemory.stateOf(page);
  if (host === "io") state.hostMemory.makeResident(page);
  else if (host !== "readwrite") return false;
  markDirty(state, slot, frame, vcpu);
  return true;
}
