/**
 * Frames whose writes somebody watches: how often each is watched, by slot.
 * KVM: __kvm_write_track_add_gfn(), __kvm_write_track_remove_gfn() (v6.16).
 */
import { meets, type Range, rangeAt } from "./frames.js";

const MAX_WATCHERS = 65_535;

export class WriteTracking {
  private readonly slots = new Map<number, Map<number, number>>();

  /** One more or one less; what the counter cannot hold is ignored. */
  change(slot: number, frame: number, by: 1 | -1): void {
    const frames = this.slots.get(slot) ?? new Map<number, number>();
    this.slots.set(slot, frames);
    const count = (frames.get(frame) ?? 0) + by;
    if (count >= 0 && count <= MAX_WATCHERS) frames.set(frame, count);
  }

  isTracked(slot: number, frame: number): boolean {
    return (this.slots.get(slot)?.get(frame) ?? 0) > 0;
  }

  /** Whether a huge leaf over that frame would cover one that is watched. */
  forbids(slot: number, frame: number, level: number): boolean {
    return this.meets(slot, rangeAt(frame, level));
  }

  /** A slot that goes, or moves, is watched no more. */
  forgetSlot(slot: number): void {
    this.slots.delete(slot);
  }

  private meets(slot: number, range: Range): boolean {
    const frames = [...(this.slots.get(slot) ?? [])];
    return frames.some(([frame, count]) => count > 0 && meets({ start: frame, end: frame + 1 }, range));
  }
}
