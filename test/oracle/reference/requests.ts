/** Requests of userspace about the VM as a whole: capabilities, vCPUs, files of private memory. */
import { DirtyRing } from "./dirty-ring.js";
import { CAP_MANUAL_PROTECT } from "./logging.js";
import type { State } from "./state.js";
import { Refusal } from "./types.js";

export function enableCap({ memslots, vcpus }: State, cap: number, flags: number, argument: number): void {
  if (cap !== CAP_MANUAL_PROTECT && !memslots.limits.rules.hasRings)
    throw new Refusal("ERR_CAPABILITY", "EINVAL");
  memslots.logging.enable(cap, flags, argument, vcpus.size > 0);
}

export function createVcpu({ memslots, vcpus, rings }: State, id: number): void {
  if (id >= memslots.limits.rules.vcpuIds) throw new Refusal("ERR_VCPU", "EINVAL");
  if (vcpus.has(id)) throw new Refusal("ERR_VCPU_EXISTS", "EEXIST");
  vcpus.add(id);
  const { ringEntries, reserved } = memslots.logging;
  if (ringEntries !== undefined) rings.set(id, new DirtyRing(ringEntries, reserved));
}

/** Returns the file's number. */
export function createGuestMemfd({ memslots }: State, bytes: number, flags: number): number {
  if (memslots.limits.rules.memfd === "none") throw new Refusal("ERR_UNSUPPORTED", "EOPNOTSUPP");
  return memslots.memfds.create(bytes, flags, memslots.limits.rules.memfdFlags);
}
