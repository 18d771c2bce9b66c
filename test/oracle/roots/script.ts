/**
 * Random VMs that load and drop roots: more slots, flags, registers and orders
 * of things than were ever recorded. No operation on a slot is refused.
 */
import type { RootsOp } from "../vectors/mmuroots-vectors.js";

const CR0 = [0x31, 0x10031, 0x80000031, 0x80010031, 0x80010031, 0x80010030, 0x60000010];
const CR4 = [0x20, 0x20, 0x30, 0xa0, 0, 0x100020, 0x200020, 0x300020, 0x400020, 0x1020];
const EFER = [0x500, 0x500, 0x500, 0xd00, 0x100, 0];
const SLOTS = 3;
const PLACES = 3;
const SLOT_BYTES = 0x20000;
const PAGE = 0x1000;
const LOGS_DIRTY = 1;

interface Slot {
  readonly place: number;
  readonly flags: number;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** No two slots ever meet. */
const addressOf = (id: number, place: number): number => place * 0x40000000 + id * 0x40000;

/** Mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) % below;
  };
}

export class Script {
  readonly ops: RootsOp[] = [["vm"]];
  readonly #random: (below: number) => number;
  readonly #slots = new Map<number, Slot>();
  /** Of a hundred operations: where slots come and go, few pages live long enough to be recycled. */
  readonly #slotChanges: number;
  #vcpus = 1;

  constructor(seed: number) {
    this.#random = randomFrom(seed);
    if (this.#random(2) === 0) this.ops.push(["disable_quirks2", "0x80"]);
    this.#slotChanges = this.#pick([0, 1, 9]);
    for (let i = this.#random(4); i > 0; --i) this.ops.push(this.#slot());
    const length = 40 + this.#random(1500);
    while (this.ops.length < length) this.ops.push(this.#next());
  }

  #next(): RootsOp {
    const die = this.#random(100);
    if (die < this.#slotChanges) return this.#slot();
    if (die < 52) return ["prefault", hex(this.#random(4) * PAGE), "0x1000", "0x0"];
    if (die < 70) return ["cr3", hex(this.#root())];
    if (die < 91) return this.#registers();
    if (die < 97) return this.#vcpu();
    if (die < 99) return ["nr_mmu_pages", 62 + this.#random(20)];
    return ["cpuid", 36 + this.#random(13)];
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random(from.length)] as T;
  }

  /** Mostly long mode, and a CR3 that leads into a slot. */
  #registers(): RootsOp {
    const isLong = this.#random(10) < 8;
    const cr0 = isLong ? this.#pick([0x80000031, 0x80010031]) : this.#pick(CR0);
    const efer = isLong ? this.#pick([0x500, 0xd00]) : this.#pick(EFER);
    const cr4 = isLong ? this.#pick([0x20, 0x20, 0x100020, 0x200020, 0x300020]) : this.#pick(CR4);
    const control = [cr0, this.#root(), cr4, efer].map(hex);
    return ["sregs", ...control, isLong ? 1 : this.#random(2)];
  }

  #root(): number {
    const id = this.#random(SLOTS);
    const place = this.#random(10) < 8 ? this.#slots.get(id)?.place : undefined;
    const page = this.#random(SLOT_BYTES / PAGE + 2) * PAGE;
    return addressOf(id, place ?? this.#random(PLACES)) + page + this.#pick([0, 0x18]);
  }

  #vcpu(): RootsOp {
    const n = this.#random(Math.min(this.#vcpus + 1, 5));
    this.#vcpus = Math.max(this.#vcpus, n + 1);
    return ["vcpu", n];
  }

  /** One that is there goes, moves, or has its log switched; else it comes. */
  #slot(): RootsOp {
    const id = this.#random(SLOTS);
    const old = this.#slots.get(id);
    const die = this.#random(3);
    if (old === undefined) return this.#set(id, { place: this.#random(PLACES), flags: this.#random(4) });
    if (die === 0) return this.#set(id, { ...old, place: this.#random(PLACES) });
    if (die === 1) return this.#set(id, { ...old, flags: old.flags ^ LOGS_DIRTY });
    this.#slots.delete(id);
    return this.#op(id, old, 0);
  }

  #set(id: number, slot: Slot): RootsOp {
    this.#slots.set(id, slot);
    return this.#op(id, slot, SLOT_BYTES);
  }

  #op(id: number, { place, flags }: Slot, bytes: number): RootsOp {
    return ["slot", id, hex(addressOf(id, place)), hex(bytes), flags, hex(id * 0x100000)];
  }
}
