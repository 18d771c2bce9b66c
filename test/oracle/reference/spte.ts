/**
 * What one entry means, as booleans, and how hardware would see it as a word:
 * EPT with accessed and dirty bits, as KVM v6.16 lays it out (make_spte(),
 * make_mmio_spte()). Only this file knows where a bit sits.
 */

export interface Leaf {
  readonly level: number;
  /** First frame that the leaf maps. */
  readonly gfn: number;
  readonly pfn: number;
  r: boolean;
  w: boolean;
  x: boolean;
  accessed: boolean;
  dirty: boolean;
  readonly hostWritable: boolean;
  mmuWritable: boolean;
}

const bit = (position: number): bigint => 1n << BigInt(position);

const R = bit(0);
const W = bit(1);
const X = bit(2);
const WRITE_BACK = 6n << 3n;
const IGNORE_PAT = bit(6);
const PAGE_SIZE = bit(7);
const ACCESSED = bit(8);
const DIRTY = bit(9);
const MMU_PRESENT = bit(11);
const HOST_WRITABLE = bit(57);
const MMU_WRITABLE = bit(58);
const BLOCKED = bit(62);
const SUPPRESS_VE = bit(63);

export function renderLeaf(leaf: Leaf): bigint {
  const flags: [boolean, bigint][] = [
    [leaf.r, R],
    [leaf.w, W],
    [leaf.x, X],
    [leaf.level > 1, PAGE_SIZE],
    [leaf.accessed, ACCESSED],
    [leaf.dirty, DIRTY],
    [leaf.hostWritable, HOST_WRITABLE],
    [leaf.mmuWritable, MMU_WRITABLE],
  ];
  const base = SUPPRESS_VE | MMU_PRESENT | WRITE_BACK | IGNORE_PAT | (BigInt(leaf.pfn) << 12n);
  return flags.reduce((word, [set, mask]) => (set ? word | mask : word), base);
}

/**
 * Write and execute without read is a misconfiguration, which is how hardware
 * is made to exit on it. Of a generation of 19 bits the low byte sits at bit 3,
 * the rest at bit 52, and the suppress-#VE bit stays clear; v5.10 has 18 bits,
 * nine at each place, and marks the entry by two bits more.
 */
export function renderMmio(gfn: number, generation: number, generationBits = 19): bigint {
  const isOld = generationBits === 18;
  const lowValues = isOld ? 512 : 256;
  const low = BigInt(generation % lowValues) << 3n;
  const high = BigInt(Math.floor(generation / lowValues)) << (isOld ? 54n : 52n);
  return W | X | low | high | (BigInt(gfn) << 12n) | (isOld ? 3n << 52n : 0n);
}

/** Not present, the page remembered: what the 2020 TDX patches leave of a private leaf. */
export function renderBlocked(pfn: number): bigint {
  return SUPPRESS_VE | BLOCKED | (BigInt(pfn) << 12n);
}
