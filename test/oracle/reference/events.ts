/** Events that are no access, each as the call of KVM's that it stands for. */
import { clearWindows, takeLogs } from "./dirty-log.js";
import { frameOf, overlaps, PAGE_BYTES, type Range } from "./frames.js";
import { hostEvent } from "./host-events.js";
import { judgeLeftMapped } from "./judge.js";
import type { Slot } from "./memslots.js";
import { collectAndReset, hasRings } from "./rings.js";
import { setMemslot } from "./slot-changes.js";
import type { State } from "./state.js";
import { type Effect, LOG_DIRTY, READONLY, type ReferenceEvent, Refusal, TO_PRIVATE } from "./types.js";
import { convert, invalidateHva, zapAllFast, zapRange } from "./zap.js";

/** Alias bits are not for ranges, and attributes only for memory that may be private. */
export function refuseEvent({ shape }: State, { kind, gpa, bytes }: ReferenceEvent): void {
  const isRange = ["zap", "attributes", "write-track-add", "write-track-remove"].includes(kind);
  const isAliased = isRange && frameOf(gpa + bytes) > shape.aliases.step;
  if (isAliased || (kind === "attributes" && !shape.hasPrivate)) throw new Refusal("ERR_EVENT", "EINVAL");
}

export function operate(state: State, event: ReferenceEvent): Effect {
  const effect = hostEvent(state, event);
  if (effect !== undefined) return effect;
  if (changesSlots(event) && state.windows.active > 0) return { changed: 0, result: "error" };
  const changed = change(state, event);
  return changed === "error" ? { changed: 0, result: "error" } : { changed };
}

/** A memslot cannot change while the host takes memory back. */
const changesSlots = ({ kind }: ReferenceEvent): boolean =>
  kind === "dirty-log-enable" || kind === "dirty-log-disable";

/** Returns the entries changed, or that it cannot be. */
function change(state: State, event: ReferenceEvent): number | "error" {
  const range = { start: frameOf(event.gpa), end: frameOf(event.gpa + event.bytes) };
  switch (event.kind) {
    case "zap":
      return zap(state, range);
    case "zap-all-fast":
      return zapAllFast(state);
    case "hva-invalidate":
      return invalidateHva(state, range);
    case "attributes":
      return convert(state, range, event.access % 2 === TO_PRIVATE);
    case "dirty-ring-reset":
      return hasRings(state) ? collectAndReset(state).sptesChanged : "error";
    case "access":
    case "end":
      return 0;
    default:
      return onSlots(state, event, range);
  }
}

function zap(state: State, range: Range): number {
  const changed = zapRange(state, range);
  judgeLeftMapped(state, range);
  return changed;
}

/**
 * An event about logging speaks to every slot that meets its range, or to all if it has none. Rings leave no bitmap to
 * get or clear.
 */
function onSlots(state: State, { kind, bytes }: ReferenceEvent, { start, end }: Range): number | "error" {
  if (hasRings(state) && (kind === "dirty-log-get" || kind === "dirty-log-clear")) return "error";
  const meets = (slot: Slot) => bytes === 0 || overlaps(start, end, slot.base, slot.base + slot.pages);
  let changed = 0;
  for (const slot of state.memslots.ofUser().filter((each) => each.asId === 0 && meets(each))) {
    if (kind === "dirty-log-get") changed += slot.dirty ? takeLogs(state, slot).sptesChanged : 0;
    else if (kind === "dirty-log-clear")
      changed += slot.dirty ? clearWindows(state, slot, bytes === 0 ? rangeOf(slot) : { start, end }) : 0;
    else if (slot.hasMemfd) continue;
    else if (kind === "dirty-log-disable") changed += setLogging(state, slot, false);
    else if (!slot.readonly) changed += setLogging(state, slot, true);
  }
  return changed;
}

const rangeOf = ({ base, pages }: Slot): Range => ({ start: base, end: base + pages });

function setLogging(state: State, slot: Slot, on: boolean): number {
  const flags = (slot.readonly ? READONLY : 0) + (on ? LOG_DIRTY : 0);
  const { slot: slotArgument, hva, backing } = slot;
  const [gpa, bytes] = [slot.base * PAGE_BYTES, slot.pages * PAGE_BYTES];
  return setMemslot(state, { slot: slotArgument, flags, gpa, bytes, hva, backing });
}
