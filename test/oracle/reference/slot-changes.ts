/**
 * What a change of memslots does, in KVM's order: generations, mappings,
 * attributes, logging; and the same for each twin. KVM: kvm_set_memslot()
 * (v6.16).
 */
import { judgeLeftMapped } from "./judge.js";
import { startLogging, stopLogging } from "./log-switch.js";
import type { Change, Slot } from "./memslots.js";
import { slotsChanged } from "./page-limits.js";
import { stopIfUnused } from "./pml.js";
import { NO_MEMFD } from "./slot-checks.js";
import { twinChange } from "./special-slots.js";
import type { State } from "./state.js";
import { Refusal, type Region } from "./types.js";
import { zapAllFast, zapSlot } from "./zap.js";

/** KVM_SET_USER_MEMORY_REGION. Only the user's own slot is ever refused. Returns the entries changed. */
export function setMemslot(state: State, region: Region): number {
  const change = state.memslots.plan(region);
  if (change.kind === "create" && change.slot.hasMemfd) bind(state, region);
  refuseLate(state, change);
  const end = change.kind === "delete" || change.kind === "move" ? change.old : undefined;
  try {
    return commitAll(state, region, change);
  } finally {
    // A slot and its twins go one after the other, so nothing is judged between.
    if (end?.asId === 0) judgeLeftMapped(state, { start: end.base, end: end.base + end.pages });
  }
}

/** The change of the slot, and then of each twin. */
function commitAll(state: State, region: Region, change: Change): number {
  const { memslots, shape } = state;
  let changed = commit(state, change);
  if (change.kind === "delete") memslots.memfds.unbind(region.slot);
  if (shape.policy.slotFrames === "canonical") return changed;
  const { aliases } = shape;
  for (const alias of aliases.all().slice(1))
    changed += commit(state, twinChange(memslots, change, { alias, offset: aliases.offset(alias) }));
  return changed;
}

/** What KVM finds out only when a new slot has its file already. */
function refuseLate(state: State, change: Change): void {
  try {
    if (change.kind === "create") refuseUnmappable(state, change.slot);
    // KVM would wait for the host to be done, and has no errno for it.
    if (change.kind !== "nothing" && state.windows.active > 0) throw new Refusal("ERR_BUSY", "");
  } catch (refusal) {
    if (change.kind === "create") state.memslots.memfds.unbind(change.slot.slot);
    throw refusal;
  }
}

function bind({ memslots }: State, { slot, bytes, memfd = NO_MEMFD }: Region): void {
  memslots.memfds.bind(slot, memfd.fd, { start: memfd.offset, end: memfd.offset + bytes });
}

function commit(state: State, change: Change): number {
  switch (change.kind) {
    case "nothing":
      return 0;
    case "create":
      return replace(state, undefined, change.slot);
    case "flags":
      return changeFlags(state, change.old, change.slot);
    case "delete": {
      const dropped = invalidate(state, change.old);
      forget(state, change.old);
      return dropped + replace(state, change.old, undefined);
    }
    case "move":
      return move(state, change.old, change.slot);
  }
}

function move(state: State, old: Slot, slot: Slot): number {
  const dropped = invalidate(state, old);
  try {
    if (slot.owner === "user") refuseUnmappable(state, slot);
  } catch (refusal) {
    // The checks of a move that come this late leave the slot where it was, its mappings gone.
    replace(state, old, old);
    throw refusal;
  }
  forget(state, old);
  return dropped + replace(state, old, slot);
}

/** What KVM keeps beside a slot. */
function forget({ rmap, tracking }: State, { slot }: Slot): void {
  rmap?.reverse.forgetSlot(slot);
  tracking.forgetSlot(slot);
}

function changeFlags(state: State, old: Slot, slot: Slot): number {
  const dropped = replace(state, old, slot);
  return dropped + (slot.logged ? startLogging(state, slot) : stopLogging(state, slot));
}

/** A slot that goes or moves is first marked invalid, a step of its own. */
function invalidate(state: State, old: Slot): number {
  return advance(state, old.asId) + zapSlot(state, old);
}

function replace(state: State, old: Slot | undefined, slot: Slot | undefined): number {
  const { slots } = state.memslots;
  if (old !== undefined) slots.delete(old.slot);
  if (slot !== undefined) slots.set(slot.slot, slot);
  if (slot !== undefined && slot.base !== old?.base) becomePrivate(state, slot);
  stopIfUnused(state);
  const dropped = slot === undefined || old === undefined ? slotsChanged(state) : 0;
  return dropped + advance(state, (slot ?? old)?.asId ?? 0);
}

/** Memory that the guest may write starts as private. */
function becomePrivate({ shape, attributes }: State, { base, pages, readonly, asId }: Slot): void {
  if (shape.hasPrivate && !readonly && asId === 0) attributes.set({ start: base, end: base + pages }, true);
}

/** Old MMIO entries must not look new when the generation wraps: they go, with everything else. */
function advance(state: State, asId: number): number {
  return state.memslots.advance(asId) ? zapAllFast(state) : 0;
}

function refuseUnmappable({ maxGfn, shape, memslots }: State, { base, pages, backing }: Slot): void {
  const last = base + pages - 1;
  if (last > maxGfn && memslots.limits.rules.limitsFrames)
    throw new Refusal("ERR_MEMSLOT_BEYOND_MAX", "EINVAL");
  const isAliased = shape.aliases.aliasOf(last) !== 0;
  // Everything above a canonical frame is its twins' place, and twins are nobody's to make but ours.
  const hasTwins = shape.policy.slotFrames !== "canonical";
  const reachesTwins =
    hasTwins &&
    (shape.aliases.aliasOf(base) !== 0 ||
      Math.floor(base / shape.aliases.step) !== Math.floor(last / shape.aliases.step));
  if (isAliased || reachesTwins) throw new Refusal("ERR_MEMSLOT_ALIASED", "EINVAL");
  if (backing === 3 && shape.aliases.splits1G) throw new Refusal("ERR_MEMSLOT_BACKING", "EINVAL");
}
