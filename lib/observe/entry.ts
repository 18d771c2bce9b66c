/**
 * What the bits of an entry are called, by whose tables they are and since which kernel they are there.
 *
 * KVM: mmu/spte.h. What is empty, frozen or MMIO is told by value; everything else is present.
 */

const bit = (n: number): bigint => 1n << BigInt(n);
const ADDRESS = bit(52) - bit(12);
const PAGE_SHIFT = 12n;
/** Frames that an entry of a level spans, as a power of two. */
const LEVEL_BITS = 9;

/** Kernels whose entries look alike, oldest first. */
export type EntryRelease = "5.10" | "6.1" | "6.16";
export type EntryVendor = "ept" | "npt";

export interface EntryBit {
  readonly name: string;
  readonly mask: bigint;
}

export interface EntryFormat {
  readonly vendor: EntryVendor;
  readonly release: EntryRelease;
  readonly empty: bigint;
  /** What an entry of a table that goes is given, or that another thread is at work on. */
  readonly frozen: bigint;
  /** Software's own; undefined where 5.10 had none. */
  readonly present: bigint | undefined;
  readonly huge: bigint;
  readonly accessed: bigint;
  readonly dirty: bigint;
  readonly write: bigint;
  readonly hostWritable: bigint;
  readonly mmuWritable: bigint;
  readonly bits: readonly EntryBit[];
}

const HUGE: EntryBit = { name: "PS", mask: bit(7) };
const SUPPRESS_VE = bit(63);
const FROZEN = 0x5a0n;

const HARDWARE: Record<
  EntryVendor,
  { accessed: number; dirty: number; bits: readonly (readonly [string, number])[] }
> = {
  ept: {
    accessed: 8,
    dirty: 9,
    bits: [
      ["R", 0],
      ["W", 1],
      ["X", 2],
      ["MT0", 3],
      ["MT1", 4],
      ["MT2", 5],
      ["ignore-PAT", 6],
      ["PS", 7],
      ["A", 8],
      ["D", 9],
    ],
  },
  npt: {
    accessed: 5,
    dirty: 6,
    bits: [
      ["P", 0],
      ["W", 1],
      ["U", 2],
      ["PWT", 3],
      ["PCD", 4],
      ["A", 5],
      ["D", 6],
      ["PS", 7],
      ["G", 8],
      ["NX", 63],
    ],
  },
};

function softwareBits(vendor: EntryVendor, release: EntryRelease) {
  if (release === "5.10") return { hostWritable: 10, mmuWritable: 11, present: undefined };
  return vendor === "ept"
    ? { hostWritable: 57, mmuWritable: 58, present: 11 }
    : { hostWritable: 9, mmuWritable: 10, present: 11 };
}

export function entryFormat(vendor: EntryVendor, release: EntryRelease): EntryFormat {
  const { accessed, dirty, bits } = HARDWARE[vendor];
  const { hostWritable, mmuWritable, present } = softwareBits(vendor, release);
  const hasSuppressVe = release === "6.16";
  const named = (name: string, n: number | undefined): EntryBit[] =>
    n === undefined ? [] : [{ name, mask: bit(n) }];
  return {
    vendor,
    release,
    empty: hasSuppressVe ? SUPPRESS_VE : 0n,
    frozen: FROZEN | (hasSuppressVe ? SUPPRESS_VE : 0n),
    present: present === undefined ? undefined : bit(present),
    huge: HUGE.mask,
    accessed: bit(accessed),
    dirty: bit(dirty),
    write: bit(1),
    hostWritable: bit(hostWritable),
    mmuWritable: bit(mmuWritable),
    bits: [
      ...bits.map(([name, n]) => ({ name, mask: bit(n) })),
      ...named("host-writable", hostWritable),
      ...named("MMU-writable", mmuWritable),
      ...named("MMU-present", present),
      { name: "A/D-type-0", mask: bit(52) },
      { name: "A/D-type-1", mask: bit(53) },
      ...(vendor === "ept" ? [{ name: "suppress-#VE", mask: SUPPRESS_VE }] : []),
    ],
  };
}

export const isEmpty = (format: EntryFormat, spte: bigint): boolean => spte === format.empty;
export const isFrozen = (format: EntryFormat, spte: bigint): boolean =>
  spte === format.frozen && format.release !== "5.10";

/** Of 5.10, which had no bit for it: what is no MMIO entry and not zero. */
export function isPresent(format: EntryFormat, spte: bigint): boolean {
  if (isFrozen(format, spte)) return false;
  if (format.present !== undefined) return (spte & format.present) !== 0n;
  const isMmio = ((spte >> 52n) & 3n) === 3n;
  return spte !== 0n && !isMmio;
}

export const isLeaf = (format: EntryFormat, spte: bigint, level: number): boolean =>
  isPresent(format, spte) && (level === 1 || (spte & format.huge) !== 0n);
export const isLink = (format: EntryFormat, spte: bigint, level: number): boolean =>
  isPresent(format, spte) && !isLeaf(format, spte, level);
export const isMmio = (format: EntryFormat, spte: bigint): boolean =>
  !isPresent(format, spte) && !isEmpty(format, spte) && !isFrozen(format, spte);
export const has = (spte: bigint, mask: bigint): boolean => (spte & mask) !== 0n;

export const addressOf = (spte: bigint): bigint => spte & ADDRESS;
export const pfnOf = (spte: bigint): bigint => addressOf(spte) >> PAGE_SHIFT;
/** Frames under an entry. */
export const framesOf = (level: number): number => 2 ** (LEVEL_BITS * (level - 1));
/** Of the first frame that the entry of `gfn` spans. */
export const roundedTo = (gfn: number, level: number): number => gfn - (gfn % framesOf(level));

/** Names of bits that are set, without the address. */
export const bitNames = (format: EntryFormat, spte: bigint): string[] =>
  format.bits.filter(({ mask }) => has(spte, mask)).map(({ name }) => name);

/** Of a read, write or fetch, whether a leaf lets it through. */
export function grants(format: EntryFormat, spte: bigint, access: "read" | "write" | "fetch"): boolean {
  if (access === "write") return has(spte, format.write);
  if (access === "read") return has(spte, bit(0));
  return format.vendor === "ept" ? has(spte, bit(2)) : !has(spte, bit(63));
}

/** An entry in words; where a table lies in memory is not in them: no two machines agree on it. */
export function inWords(format: EntryFormat, spte: bigint, level: number): string {
  if (isEmpty(format, spte)) return "empty";
  if (isFrozen(format, spte)) return "frozen";
  if (!isPresent(format, spte)) return `mmio ${spte.toString(16)}`;
  const kind = isLeaf(format, spte, level) ? "leaf" : "table";
  return `${kind} ${bitNames(format, spte).join(" ")}${strange(format, spte)}`;
}

/** Bits that have no name here, so that no difference goes unseen. */
function strange(format: EntryFormat, spte: bigint): string {
  const known = format.bits.reduce((sum, { mask }) => sum | mask, ADDRESS);
  const rest = spte & ~known;
  return rest === 0n ? "" : ` +${rest.toString(16)}`;
}

/** Which bits of `a` are not in `b`, or the other way round: "W, MMU-writable", "the address". */
export function differenceOf(format: EntryFormat, a: bigint, b: bigint): string {
  const names = bitNames(format, a ^ b);
  if (addressOf(a) !== addressOf(b)) names.push("the address");
  return names.length === 0 ? "bits without a name" : names.join(", ");
}
