/** Memslots, as far as roots ask: which frames the guest can see, and what a change does to shadow pages. */

export interface Slot {
  readonly base: bigint;
  readonly pages: bigint;
  readonly isReadOnly: boolean;
  readonly logsDirty: boolean;
}

export type Change = "create" | "delete" | "move" | "flags" | "none";

export class Slots {
  readonly #slots = new Map<number, Slot>();

  isVisible(gfn: bigint): boolean {
    return [...this.#slots.values()].some(({ base, pages }) => gfn >= base && gfn < base + pages);
  }

  get pages(): bigint {
    return [...this.#slots.values()].reduce((sum, slot) => sum + slot.pages, 0n);
  }

  get(id: number): Slot | undefined {
    return this.#slots.get(id);
  }

  changeTo(id: number, slot: Slot): Change {
    const old = this.#slots.get(id);
    if (old === undefined) return slot.pages === 0n ? "none" : "create";
    if (slot.pages === 0n) return "delete";
    if (slot.base !== old.base) return "move";
    return slot.logsDirty === old.logsDirty ? "none" : "flags";
  }

  set(id: number, slot: Slot): void {
    if (slot.pages === 0n) this.#slots.delete(id);
    else this.#slots.set(id, slot);
  }
}
