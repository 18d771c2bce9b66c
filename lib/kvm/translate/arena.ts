/**
 * The process' memory behind the slots of a live VM, seen through them: what
 * is stored there, and which words the vCPU changed.
 */
import type { NativeLiveKvm } from "../../native/live-types.js";
import type { SlotRow } from "../../vectors/translate/step.js";
import { Unaskable } from "../live-kind.js";

const ARENA = 2n ** 45n;
const PAGE = 4096n;
const WORD = 8;
const DONE = "0";

interface Slot {
  readonly gpa: bigint;
  readonly bytes: bigint;
  readonly offset: bigint;
  readonly flags: number;
}

/** Words by address, in order of the arena's pages. */
type Words = ReadonlyMap<string, bigint>;

export class LiveArena {
  readonly #live: NativeLiveKvm;
  /** In the order in which they were made. */
  readonly #slots = new Map<number, Slot>();
  readonly #pages = new Set<bigint>();

  constructor(live: NativeLiveKvm) {
    this.#live = live;
  }

  get logged(): number[] {
    return [...this.#slots].filter(([, { flags }]) => flags % 2 === 1).map(([id]) => id);
  }

  /** @throws Unaskable for one that KVM refuses: no recorded vector has any */
  setSlot([id, gpa, size, flags, offset]: SlotRow): void {
    const slot = { gpa: BigInt(gpa), bytes: BigInt(size), offset: BigInt(offset), flags };
    const region = { slot: id, flags, gpa: slot.gpa, bytes: slot.bytes, hva: ARENA + slot.offset };
    if (slot.bytes > 2n ** 30n) throw new Unaskable("a slot of more than the arena");
    need(this.#live.setMemslot({ ...region, isOldIoctl: true, memfd: -1, memfdOffset: 0n }), "a slot");
    if (slot.bytes === 0n) this.#slots.delete(id);
    else this.#slots.set(id, slot);
  }

  store(gpa: bigint, value: bigint): void {
    const slot = [...this.#slots.values()].find((each) => gpa >= each.gpa && gpa < each.gpa + each.bytes);
    if (slot === undefined || gpa % BigInt(WORD) !== 0n) throw new Unaskable("a store outside of slots");
    const offset = slot.offset + gpa - slot.gpa;
    const bytes = new DataView(new ArrayBuffer(WORD));
    bytes.setBigUint64(0, value, true);
    need(this.#live.writeMemory(ARENA + offset, new Uint8Array(bytes.buffer)), "a store");
    this.#pages.add(offset / PAGE);
  }

  protect(ranges: readonly (readonly [offset: string, size: string, state: "ro" | "none"])[]): void {
    for (const [offset, size, state] of ranges)
      need(this.#live.protect(ARENA + BigInt(offset), BigInt(size), state === "ro" ? 1 : 0), "a protection");
  }

  /** Everything that was ever stored and that a slot shows, through the first slot that does. */
  words(): Words {
    const words = new Map<string, bigint>();
    for (const page of [...this.#pages].sort((a, b) => (a < b ? -1 : 1))) {
      const gpa = this.#gpaOf(page);
      if (gpa === undefined) continue;
      const [outcome, { buffer }] = this.#live.readMemory(ARENA + page * PAGE, Number(PAGE));
      need(outcome, "a look");
      for (const [at, word] of new BigUint64Array(buffer).entries())
        words.set(hexOf(gpa + BigInt(at * WORD)), word);
    }
    return words;
  }

  #gpaOf(page: bigint): bigint | undefined {
    const at = page * PAGE;
    const slot = [...this.#slots.values()].find(({ offset, bytes }) => at >= offset && at < offset + bytes);
    return slot && slot.gpa + at - slot.offset;
  }
}

/** Address, old and new, of each word that differs. */
export function changesBetween(before: Words, after: Words): [string, string, string][] {
  return [...after].flatMap(([gpa, now]) => {
    const old = before.get(gpa) ?? 0n;
    return old === now ? [] : [[gpa, hexOf(old), hexOf(now)]];
  });
}

/** @throws Unaskable for what every recorded vector could do */
export function need(outcome: string, what: string): void {
  if (outcome !== DONE) throw new Unaskable(`${what} is refused: ${outcome}`);
}

export function hexOf(value: bigint): string {
  return `0x${value.toString(16)}`;
}
