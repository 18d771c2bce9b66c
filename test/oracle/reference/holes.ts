/**
 * The hole that each vCPU met last. What is kept is a frame without alias bits,
 * what it is compared with has them; frame 0 stands for none. KVM:
 * vcpu_cache_mmio_info(), vcpu_match_mmio_gpa() (v6.16).
 */
import type { Access } from "./access.js";
import type { Entry } from "./entries.js";
import { mmioGeneration } from "./leaves.js";
import type { State } from "./state.js";

export interface Hole {
  readonly frame: number;
  readonly generation: number;
}

const generationOf = ({ memslots }: State): number => memslots.generations[0] ?? 0;

export function noteHole(state: State, { vcpu, frame }: Access): void {
  state.holes.set(vcpu, { frame, generation: generationOf(state) });
}

/** Whether an access that hardware called misconfigured needs no fault; the vCPU's own hole is asked first. */
export function isKnownHole(state: State, access: Access, entry: Entry): boolean {
  if (entry.kind !== "mmio") return false;
  const last = state.holes.get(access.vcpu);
  const isLast = last !== undefined && last.frame !== 0 && last.frame === access.issued;
  if (isLast && last.generation === generationOf(state)) return true;
  if (entry.generation !== mmioGeneration(state)) return false;
  noteHole(state, access);
  return true;
}
