/**
 * Which ids of memslots are free.
 *
 * It remembers where to look and asks what is there; slots themselves are the
 * engine's.
 */
import { outOfRange } from "./expect.js";
import { ID_STEP } from "./memslot-numbers.js";

/** Ids from 0 to this one are for users; the next three are KVM's own. */
export const MAX_SLOT_ID = 32_763;

/** Where the search for a free id starts, so that adding n slots does not look at n * n. */
export class FreeIds {
  /** By address space: every id below is taken. */
  readonly #floors = new Map<number, number>();

  /** The lowest id that `isTaken` denies. */
  lowest(asId: number, isTaken: (slot: number) => boolean): number {
    let id = this.#floors.get(asId) ?? 0;
    while (id <= MAX_SLOT_ID && isTaken(asId * ID_STEP + id)) id++;
    this.#floors.set(asId, id);
    if (id <= MAX_SLOT_ID) return id;
    throw outOfRange("memslots", `at most ${MAX_SLOT_ID + 1} in an address space`, MAX_SLOT_ID + 2);
  }

  /** Has to be told of every slot that is deleted. */
  freed(slot: number): void {
    const asId = Math.floor(slot / ID_STEP);
    this.#floors.set(asId, Math.min(this.#floors.get(asId) ?? 0, slot % ID_STEP));
  }
}
