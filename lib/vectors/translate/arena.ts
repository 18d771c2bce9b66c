/**
 * The memory of the process behind a recorded VM's slots, seen through them:
 * which words the vCPU changed.
 */
import { PAGE_BYTES } from "../../address.js";
import type { NativeVm } from "../../native/addon-types.js";
import type { SlotRow } from "./step.js";

/** Where the process' arena begins: any place that KVM takes. */
export const ARENA = 2 ** 45;

interface Slot {
  readonly gpa: bigint;
  readonly bytes: bigint;
  readonly offset: bigint;
  readonly flags: number;
}

const PAGE = BigInt(PAGE_BYTES);

/** Words by address, in order of the arena's pages. */
type Words = ReadonlyMap<string, bigint>;

export class Arena {
  readonly #native: NativeVm;
  /** In the order in which they were made. */
  readonly #slots = new Map<number, Slot>();
  /** Numbers of the pages that were written. */
  readonly #pages = new Set<bigint>();

  constructor(native: NativeVm) {
    this.#native = native;
  }

  /** Slots whose writes are logged. */
  get logged(): number[] {
    return [...this.#slots].filter(([, { flags }]) => flags % 2 === 1).map(([id]) => id);
  }

  setSlot([id, gpa, size, flags, offset]: SlotRow): void {
    const [from, bytes, at] = [BigInt(gpa), BigInt(size), BigInt(offset)];
    this.#native.setMemslot({
      ...{ slot: id, flags, gpa: from, bytes, hva: BigInt(ARENA) + at, backing: 1 },
      isOldIoctl: true,
    });
    if (bytes === 0n) this.#slots.delete(id);
    else this.#slots.set(id, { gpa: from, bytes, offset: at, flags });
  }

  store(gpa: bigint, value: bigint): void {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setBigUint64(0, value, true);
    this.#native.writeGuestMemory(gpa, new Uint8Array(bytes.buffer));
    for (const slot of this.#slots.values())
      if (gpa >= slot.gpa && gpa < slot.gpa + slot.bytes)
        this.#pages.add((slot.offset + gpa - slot.gpa) / PAGE);
  }

  /** Everything that was ever written and that a slot shows, through the first slot that does. */
  words(): Words {
    const words = new Map<string, bigint>();
    for (const page of [...this.#pages].sort((a, b) => (a < b ? -1 : 1))) {
      const gpa = this.#gpaOf(page);
      if (gpa === undefined) continue;
      const { buffer } = this.#native.readGuestMemory(gpa, PAGE_BYTES);
      for (const [at, word] of new BigUint64Array(buffer).entries())
        words.set(`0x${(gpa + BigInt(at * 8)).toString(16)}`, word);
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
    return old === now ? [] : [[gpa, `0x${old.toString(16)}`, `0x${now.toString(16)}`]];
  });
}
