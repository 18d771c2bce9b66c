/** Events that the host, a watcher or a vCPU brings, each as the call of KVM's that it stands for. */
import { age } from "./ageing.js";
import { asyncReady, prefaultEvent } from "./ahead.js";
import { frameOf, type Range } from "./frames.js";
import { recoverNx } from "./nx-recovery.js";
import type { State } from "./state.js";
import type { Effect, EventKind, ReferenceEvent } from "./types.js";
import { watch } from "./watching.js";
import { beginHva, endHva } from "./zap.js";

type Handler = (state: State, range: Range, event: ReferenceEvent) => Effect;

const HANDLERS: Partial<Record<EventKind, Handler>> = {
  "hva-begin": (state, range) => ({ changed: beginHva(state, range) }),
  "hva-end": (state, range) => {
    endHva(state, range);
    return { changed: 0 };
  },
  age: (state, range) => age(state, range, false),
  "test-age": (state, range) => age(state, range, true),
  "write-track-add": (state, range) => watch(state, range, 1),
  "write-track-remove": (state, range) => watch(state, range, -1),
  prefault: (state, { start, end }, { vcpu }) => {
    const issued = state.shape.issuedFrame(start * 4096);
    return prefaultEvent(state, { start: issued, end: issued + (end - start) }, vcpu);
  },
  "vcpu-tlb-flush": (state, _, { vcpu }) => {
    state.counters.tlb_flush += 1;
    state.tlbs[vcpu]?.flush();
    state.links[vcpu]?.flush();
    return { changed: 0 };
  },
  "async-ready": (state, _, { vcpu }) => asyncReady(state, vcpu),
  "nx-recover": (state) => ({ changed: recoverNx(state) }),
};

/** Undefined for an event of another kind. */
export function hostEvent(state: State, event: ReferenceEvent): Effect | undefined {
  const range = { start: frameOf(event.gpa), end: frameOf(event.gpa + event.bytes) };
  return HANDLERS[event.kind]?.(state, range, event);
}
