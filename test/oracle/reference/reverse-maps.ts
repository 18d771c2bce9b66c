/**
 * Flavour rmap: which entries hold a frame of a slot. One list for each slot,
 * level and frame. KVM: struct kvm_rmap_head, rmap_add() (v6.16), without the
 * limit of a thousand, which no two roots can reach.
 */
import { floorTo } from "./frames.js";
import type { ShadowPage } from "./shadow-pages.js";

/** One entry of one shadow page. */
export interface Place {
  readonly page: ShadowPage;
  readonly index: number;
}

const listKey = (level: number, frame: number): string => `${level}:${frame}`;
const isSame = (a: Place, b: Place): boolean => a.page === b.page && a.index === b.index;

export class ReverseMaps {
  private readonly slots = new Map<number, Map<string, Place[]>>();
  /** Longest list before an entry was added to it. */
  longest = 0;

  add(slot: number, frame: number, place: Place): void {
    const lists = this.slots.get(slot) ?? new Map<string, Place[]>();
    this.slots.set(slot, lists);
    const key = listKey(place.page.level, frame);
    // An entry that gets another page has left its list before it is listed anew.
    const others = (lists.get(key) ?? []).filter((each) => !isSame(each, place));
    this.longest = Math.max(this.longest, others.length);
    lists.set(key, [...others, place]);
  }

  remove(frame: number, place: Place): void {
    const key = listKey(place.page.level, frame);
    for (const lists of this.slots.values()) {
      const list = lists.get(key) ?? [];
      const gap = list.findIndex((each) => isSame(each, place));
      // The last takes its place.
      const last = list.at(-1);
      if (gap < 0 || last === undefined) continue;
      lists.set(key, list.with(gap, last).slice(0, -1));
    }
  }

  /** A slot that goes takes its lists along, whatever is in them. */
  forgetSlot(slot: number): void {
    this.slots.delete(slot);
  }

  /** Every place of the slot, in order of level, then of frame. */
  of(slot: number): Place[] {
    const keyed = [...(this.slots.get(slot) ?? [])].map(([key, list]) => {
      const [level = 0, frame = 0] = key.split(":").map(Number);
      return { level, frame, list };
    });
    keyed.sort((a, b) => a.level - b.level || a.frame - b.frame);
    return keyed.flatMap(({ list }) => list);
  }

  /** Frames with a list of that level that is not empty, in order. */
  framesOf(slot: number, level: number): number[] {
    const keys = [...(this.slots.get(slot) ?? [])].filter(([, list]) => list.length > 0);
    const numbers = keys.map(([key]) => key.split(":").map(Number));
    return numbers.flatMap(([of, frame = 0]) => (of === level ? [frame] : [])).sort((a, b) => a - b);
  }

  at(slot: number, level: number, frame: number): Place[] {
    return this.slots.get(slot)?.get(listKey(level, frame)) ?? [];
  }

  count(slot: number, frame: number): number {
    return [1, 2, 3].reduce((sum, level) => sum + this.at(slot, level, floorTo(frame, level)).length, 0);
  }
}
