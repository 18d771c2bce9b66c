/**
 * KVM itself reads and writes guest memory, as for a clock that the guest
 * shares with it: page by page, a written one marked dirty, until one cannot be
 * had. KVM: kvm_read_guest(), kvm_write_guest(), __kvm_write_guest_page() (v6.16).
 */
import { markDirty } from "./dirty-log.js";
import { frameOf, PAGE_BYTES } from "./frames.js";
import type { HostState } from "./host-memory.js";
import { hostPageOf } from "./host-page.js";
import type { Slot } from "./memslots.js";
import type { State } from "./state.js";

/** Returns the bytes written. */
export const guestWrite = (state: State, gpa: number, bytes: number, vcpu: number): number =>
  pageByPage(gpa, bytes, (frame) => writePage(state, frame, vcpu));

/** Returns the bytes read. */
export const guestRead = (state: State, gpa: number, bytes: number): number =>
  pageByPage(gpa, bytes, (frame) => readPage(state, frame));

/** Bytes done until a page cannot be had. */
function pageByPage(gpa: number, bytes: number, isDone: (frame: number) => boolean): number {
  let done = 0;
  while (done < bytes) {
    const at = gpa + done;
    if (!isDone(frameOf(at))) break;
    done += Math.min(bytes - done, PAGE_BYTES - (at % PAGE_BYTES));
  }
  return done;
}

function writePage(state: State, frame: number, vcpu: number): boolean {
  const slot = state.memslots.find(frame);
  if (slot === undefined || slot.readonly) return false;
  if (broughtIn(state, slot, frame) !== "readwrite") return false;
  markDirty(state, slot, frame, vcpu);
  return true;
}

function readPage(state: State, frame: number): boolean {
  const slot = state.memslots.find(frame);
  return slot !== undefined && ["readwrite", "readonly"].includes(broughtIn(state, slot, frame));
}

/** What the host answers for a page, once it is in memory if it can be. */
function broughtIn(state: State, slot: Slot, frame: number): HostState {
  const page = hostPageOf(slot, frame);
  const host = state.hostMemory.stateOf(page);
  if (host !== "io") return host;
  state.hostMemory.makeResident(page);
  return "readwrite";
}
