/**
 * What one entry means, as booleans, and how hardware would see it as a word:
 * EPT, as KVM v6.16 lays it out (make_spte(), make_mmio_spte(),
 * mark_spte_for_access_track()). Only this file knows where a bit sits.
 */
import { floorTo, span } from "./frames.js";

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
  /** Hardware sets neither Accessed nor Dirty: the entry belongs to a host without them. */
  readonly adDisabled: boolean;
  /** Rights put aside so that the next access faults: how such a host learns of it. */
  saved: { readonly r: boolean; readonly x: boolean } | undefined;
}

/** X, wherever it is kept now. */
function setExecutable(leaf: Leaf, x: boolean): void {
  if (leaf.saved === undefined) leaf.x = x;
  else leaf.saved = { ...leaf.saved, x };
}

/** The entry is no longer young. */
export function makeOld(leaf: Leaf): void {
  const { r, x } = leaf;
  leaf.accessed = false;
  if (leaf.adDisabled && leaf.saved === undefined)
    Object.assign(leaf, { saved: { r, x }, r: false, w: false, x: false });
}

/** Rights that were put aside come back, all but W. */
export function makeYoung(leaf: Leaf): void {
  Object.assign(leaf, leaf.saved, { saved: undefined, accessed: true });
}

/** One of the 512 that say the same as a huge leaf. The iTLB workaround is about huge ones only. */
export function childOf(leaf: Leaf, index: number, isNxWorkedAround: boolean): Leaf {
  const level = leaf.level - 1;
  const offset = index * span(level);
  const child = { ...leaf, level, gfn: leaf.gfn + offset, pfn: leaf.pfn + offset };
  if (isNxWorkedAround && level === 1) setExecutable(child, true);
  return child;
}

/** The huge leaf around a small one, with its rights. */
export function enlarged(leaf: Leaf, level: number, isNxWorkedAround: boolean): Leaf {
  const huge = { ...leaf, level, gfn: floorTo(leaf.gfn, level), pfn: floorTo(leaf.pfn, level) };
  if (isNxWorkedAround) setExecutable(huge, false);
  return huge;
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
const AD_DISABLED = bit(52);
const SAVED_R = bit(54);
const SAVED_X = bit(56);
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
    [leaf.adDisabled, AD_DISABLED],
    [leaf.saved?.r === true, SAVED_R],
    [leaf.saved?.x === true, SAVED_X],
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
