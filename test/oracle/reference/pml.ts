/**
 * The page-modification log: hardware notes each frame whose Dirty bit it
 * sets, one list a vCPU, as long as any slot is logged. KVM:
 * vmx_flush_pml_buffer(), vmx_update_cpu_dirty_logging() (v6.16).
 */
import { markDirty } from "./dirty-log.js";
import { PML_ENTRIES } from "./logging.js";
import type { State } from "./state.js";

function isInUse({ memslots }: State): boolean {
  return memslots.logging.hasPml && [...memslots.slots.values()].some(({ logged }) => logged);
}

/** Hardware has set Dirty for this frame, as issued. A full list is read out first. */
export function noteWrite(state: State, vcpu: number, issued: number): void {
  if (!isInUse(state)) return;
  if ((state.pml.get(vcpu)?.length ?? 0) === PML_ENTRIES) drain(state, vcpu);
  state.pml.set(vcpu, [...(state.pml.get(vcpu) ?? []), issued]);
}

/** At each exit of the vCPU, oldest first. Alias bits are no part of a slot's frame. */
export function drain(state: State, vcpu: number): void {
  const { pml, shape, memslots } = state;
  const noted = pml.get(vcpu) ?? [];
  pml.delete(vcpu);
  for (const issued of noted) {
    const frame = shape.slotFrame(issued);
    const slot = memslots.find(frame);
    if (slot !== undefined) markDirty(state, slot, frame, vcpu);
  }
}

/** Every vCPU is made to exit. */
export function drainAll(state: State): void {
  for (const vcpu of [...state.vcpus].sort((a, b) => a - b)) drain(state, vcpu);
}

/** After a change of slots: without a logged one the log is off, and nobody wants what it held. */
export function stopIfUnused(state: State): void {
  if (!isInUse(state)) state.pml.clear();
}
