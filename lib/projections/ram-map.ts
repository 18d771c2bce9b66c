/**
 * Where a guest's writable memory is: its memslots, without the read-only
 * ones and without what KVM keeps for itself.
 */
import type { Gpa } from "../address.js";
import type { ProjectionContext } from "./projection.js";

interface Range {
  readonly start: Gpa;
  readonly end: Gpa;
}

/**
 * KVM's own slots on Intel: the APIC access page, then identity map and TSS as
 * QEMU places them (KVM: vmx_set_tss_addr(), v6.16).
 */
const INTERNAL: readonly Range[] = [
  { start: 0xfee0_0000, end: 0xfee0_1000 },
  { start: 0xfeff_c000, end: 0xff00_0000 },
];

export class RamMap {
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  // The stretch that the address asked for last lies in.
  #from = 0;
  #to = 0;
  #isRam = false;

  constructor({ memslots, internalSlots }: Pick<ProjectionContext, "memslots" | "internalSlots">) {
    const slots = memslots.filter((slot) => slot.readonly !== true);
    const ranges = slots.map(({ gpa, bytes }) => ({ start: gpa, end: gpa + bytes }));
    const ram = internalSlots ? INTERNAL.reduce(without, ranges) : ranges;
    ram.sort((a, b) => a.start - b.start);
    this.#starts = Float64Array.from(ram, ({ start }) => start);
    this.#ends = Float64Array.from(ram, ({ end }) => end);
  }

  has(gpa: Gpa): boolean {
    if (gpa < this.#from || gpa >= this.#to) this.#find(gpa);
    return this.#isRam;
  }

  #find(gpa: Gpa): void {
    const next = this.#firstBehind(gpa);
    const end = this.#ends[next - 1] ?? 0;
    this.#isRam = gpa < end;
    this.#from = this.#isRam ? (this.#starts[next - 1] as number) : end;
    this.#to = this.#isRam ? end : (this.#starts[next] ?? Number.POSITIVE_INFINITY);
  }

  /** Index of the first range that starts behind an address. */
  #firstBehind(gpa: Gpa): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] as number) <= gpa) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function without(ranges: Range[], hole: Range): Range[] {
  return ranges.flatMap(({ start, end }) => {
    const parts = [
      { start, end: Math.min(end, hole.start) },
      { start: Math.max(start, hole.end), end },
    ];
    const isApart = end <= hole.start || start >= hole.end;
    return isApart ? [{ start, end }] : parts.filter((part) => part.start < part.end);
  });
}
