/**
 * The memory of a synthetic guest: memslots, and where its pages are.
 *
 * Pages are numbered from 0 over all slots. Which of them a vCPU uses follows
 * the selftests: a part of its own, or with overlap all of them.
 */
import { formatGpa, GiB, type Gpa, MAX_ADDRESS_BITS, PAGE_BYTES, TiB } from "../address.js";
import { outOfRange } from "../expect.js";
import { Random } from "./random.js";
import type { WorkloadOptions } from "./workload-options.js";

/** A memslot, ready for `vm.memslots.add`. */
export interface SynthMemslot {
  readonly id: number;
  readonly gpa: Gpa;
  readonly bytes: number;
  readonly hva: number;
  readonly backing: WorkloadOptions["backing"];
}

const ADDRESSES = 2 ** MAX_ADDRESS_BITS;
/** Scattered slots begin at multiples of it, so that 1G pages are possible. */
const SCATTER_UNIT = GiB;
const MAX_PAGES = 2 ** 31;

export class GuestMemory {
  readonly slots: readonly SynthMemslot[];
  /** Of all slots. */
  readonly pages: number;
  /** Pages that each vCPU uses. */
  readonly pagesPerVcpu: number;
  readonly #pagesPerSlot: number;
  readonly #overlap: boolean;
  readonly #starts: Float64Array;

  constructor(options: WorkloadOptions, scattered: boolean) {
    const { bytes, vcpus, slots, overlap } = options;
    const total = bytes * vcpus;
    this.pages = total / PAGE_BYTES;
    if (this.pages > MAX_PAGES) throw outOfRange("bytes", `at most ${MAX_PAGES} pages for all vCPUs`, total);
    if (this.pages % slots !== 0)
      throw outOfRange("slots", `a divisor of the guest's ${this.pages} pages`, slots);
    this.#pagesPerSlot = this.pages / slots;
    this.#overlap = overlap;
    this.pagesPerVcpu = overlap ? this.pages : bytes / PAGE_BYTES;
    this.slots = scattered ? scatter(options, total / slots) : inARow(options, total / slots);
    this.#starts = Float64Array.from(this.slots, ({ gpa }) => gpa);
  }

  /** The address of a page of all. */
  gpa(page: number): Gpa {
    const slot = Math.floor(page / this.#pagesPerSlot);
    return (this.#starts[slot] as number) + (page - slot * this.#pagesPerSlot) * PAGE_BYTES;
  }

  /** The number among all pages of the `index`th page of a vCPU. */
  page(vcpu: number, index: number): number {
    return this.#overlap ? index : vcpu * this.pagesPerVcpu + index;
  }

  /** Where the host has a page. */
  hva(page: number): number {
    const slot = this.slots[Math.floor(page / this.#pagesPerSlot)] as SynthMemslot;
    return slot.hva + (this.gpa(page) - slot.gpa);
  }

  /** How many pages from this one on lie in one slot. */
  pagesLeftInSlot(page: number): number {
    return this.#pagesPerSlot - (page % this.#pagesPerSlot);
  }
}

function inARow({ slots, offset, backing }: WorkloadOptions, bytes: number): readonly SynthMemslot[] {
  if (offset + slots * bytes > ADDRESSES)
    throw outOfRange("offset", `at most ${formatGpa(ADDRESSES - slots * bytes)} for so much memory`, offset);
  return Array.from({ length: slots }, (_, id) => {
    const gpa = offset + id * bytes;
    return { id, gpa, bytes, hva: TiB + gpa, backing };
  });
}

/** One slot in each of as many equal parts of the address space, at a random place in it. */
function scatter({ slots, seed, backing }: WorkloadOptions, bytes: number): readonly SynthMemslot[] {
  const random = new Random(seed);
  const part = Math.floor(ADDRESSES / slots / SCATTER_UNIT);
  const places = part - Math.ceil(bytes / SCATTER_UNIT) + 1;
  if (places < 1) throw outOfRange("bytes", "little enough to lie scattered over 2^52 bytes", bytes * slots);
  let hva = TiB;
  return Array.from({ length: slots }, (_, id) => {
    const gpa = (id * part + random.below(places)) * SCATTER_UNIT;
    const slot = { id, gpa, bytes, hva, backing };
    hva += Math.ceil(bytes / SCATTER_UNIT) * SCATTER_UNIT;
    return slot;
  });
}
