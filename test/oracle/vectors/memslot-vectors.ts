/**
 * What a real kernel answered to sequences of memslot and dirty-log ioctls, and
 * the reference model in its place. One vector is a new VM and what is asked
 * of it; the model keeps no guest memory, so the process that owns it is here.
 */
import { frameOf, PAGE_BYTES } from "../reference/frames.js";
import { OTHER_FILE } from "../reference/guest-memfd.js";
import type { Slot } from "../reference/memslots.js";
import { Refusal } from "../reference/types.js";
import { ReferenceMmu } from "../reference-mmu.js";

type Word = string | number;
export type Op = readonly [string, ...Word[]];
/** Errno's name or "0", full flushes, and what was read. */
export type Answer = readonly [string, number, ...unknown[]];

export interface Vector {
  readonly id: string;
  readonly ops: readonly Op[];
  readonly res: readonly Answer[];
}

/** The one mapping that the process has. */
const MAPPED = { start: 0x2000_0000_0000 / PAGE_BYTES, end: 0x2000_4000_0000 / PAGE_BYTES };
const EVERYWHERE = { start: 0, end: 2 ** 52 };
const CLOCK_BYTES = 12;
const NOT_MEMFD = 254;

/** An address that no number holds is unaligned, and any unaligned one near it does as well. */
function numberOf(word: Word | undefined): number {
  const exact = BigInt(word ?? 0);
  const near = Number(exact);
  return BigInt(near) === exact ? near : Number(exact - (exact % 4096n) + 2048n);
}

export class VectorVm {
  readonly model = new ReferenceMmu({
    ...{ addressBits: 48, rootLevel: 4, hostMaxphyaddr: 48, vcpus: 0 },
    ...{ policy: "none", mmu: "rmap", kernel: "pvm-6.18" },
  });
  /** Bytes that are not zero, by host address. */
  private readonly memory = new Map<number, number>();

  constructor() {
    this.model.state.hostMemory.set(EVERYWHERE, { state: "none" });
    this.model.state.hostMemory.set(MAPPED, { state: "readwrite" });
  }

  answer(op: Op): Answer {
    const { flush } = this.model.state;
    const before = flush.full;
    try {
      const read = this.ask(op);
      const flushes = flush.full - before;
      return read === undefined ? ["0", flushes] : ["0", flushes, read];
    } catch (error) {
      if (error instanceof Refusal) return [error.errno, flush.full - before];
      throw error;
    }
  }

  private ask([name, ...words]: Op): unknown {
    const [a = 0, b = 0, c = 0] = words.slice(0, 3).map((word) => numberOf(word));
    switch (name) {
      case "vm":
        return undefined;
      case "vcpu":
        return this.model.createVcpu(a);
      case "cap":
        return this.model.enableCap(a, b, c);
      case "gmem":
        this.model.createGuestMemfd(a, b);
        return undefined;
      case "set":
      case "set2":
        return this.setMemslot(words, name === "set2");
      default:
        return this.askLog(name, a, b, words);
    }
  }

  private askLog(name: string, a: number, b: number, words: readonly Word[]): unknown {
    switch (name) {
      case "get":
        return bytesOf(this.model.takeDirtyLog(a, { copyFails: b === 1 }).pages);
      case "clear":
        return this.clear(words);
      case "poke":
        return this.poke(a);
      case "peek":
        return this.load(a);
      case "ring":
        return this.model.collectRing(0, a).map(({ slot, page }) => [slot, page]);
      case "reset":
        return this.model.resetRings().entries;
      default:
        throw new Error(`no such operation: ${name}`);
    }
  }

  private setMemslot(words: readonly Word[], isSecond: boolean): undefined {
    const [slot = 0, flags = 0, gpa = 0, bytes = 0, hva = 0, fd = -1, offset = 0] = words.map((word) =>
      numberOf(word),
    );
    this.model.setMemslot({
      slot,
      flags,
      gpa,
      bytes,
      hva,
      backing: 1,
      ...(isSecond ? { memfd: { fd: fd === NOT_MEMFD ? OTHER_FILE : fd, offset } } : { isOldIoctl: true }),
    });
  }

  /** "PREFIX:FILL": some bytes of the mask, then one for ever. */
  private clear(words: readonly Word[]): undefined {
    const [slot = 0, first = 0, count = 0, isNull = 0] = words.slice(0, 4).map((word) => numberOf(word));
    const [prefix = "", fill = "0"] = String(words[4]).split(":");
    const mask = Buffer.from(prefix, "hex");
    const isAsked = (page: number): boolean => {
      const byte = mask[Math.floor((page - first) / 8)] ?? Number.parseInt(fill, 16);
      return Math.floor(byte / 2 ** ((page - first) % 8)) % 2 === 1;
    };
    this.model.clearDirtyLog(slot, { first, count, isAsked, copyFails: isNull === 1 });
  }

  /** KVM: kvm_write_wall_clock(). Made odd, written, made even again. */
  private poke(gpa: number): undefined {
    const version = gpa === 0 ? undefined : this.readGuest(gpa);
    if (version === undefined) return;
    const odd = (version + (version % 2 === 0 ? 1 : 2)) % 2 ** 32;
    if (!this.writeGuest(gpa, odd, 4)) return;
    this.writeGuest(gpa, odd, CLOCK_BYTES);
    this.writeGuest(gpa, (odd + 1) % 2 ** 32, 4);
  }

  /** Little-endian; only the first four bytes matter. */
  private writeGuest(gpa: number, value: number, bytes: number): boolean {
    const written = this.model.guestWrite(gpa, bytes);
    for (let i = 0; i < Math.min(written, 4); i++)
      this.memory.set(this.hvaOf(gpa + i) ?? Number.NaN, Math.floor(value / 256 ** i) % 256);
    return written === bytes;
  }

  private readGuest(gpa: number): number | undefined {
    const hvas = [0, 1, 2, 3].map((i) => this.hvaOf(gpa + i));
    if (hvas.some((hva) => hva === undefined || !isMapped(hva))) return undefined;
    return hvas.reduce<number>((sum, hva, i) => sum + (this.memory.get(hva ?? 0) ?? 0) * 256 ** i, 0);
  }

  private hvaOf(gpa: number): number | undefined {
    const slot: Slot | undefined = this.model.state.memslots.find(frameOf(gpa));
    return slot && slot.hva + gpa - slot.base * PAGE_BYTES;
  }

  private load(hva: number): number {
    return [0, 1, 2, 3].reduce((sum, i) => sum + (this.memory.get(hva + i) ?? 0) * 256 ** i, 0);
  }
}

const isMapped = (hva: number): boolean => {
  const page = frameOf(hva);
  return page >= MAPPED.start && page < MAPPED.end;
};

/** A bitmap as hex, zero bytes at its end left out. */
function bytesOf(pages: readonly number[]): string {
  const bytes = Buffer.alloc(Math.floor((pages.at(-1) ?? -8) / 8) + 1);
  for (const page of pages)
    bytes[Math.floor(page / 8)] = (bytes[Math.floor(page / 8)] ?? 0) + 2 ** (page % 8);
  return bytes.toString("hex");
}
