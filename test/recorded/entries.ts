/**
 * An EPT entry of the kernels that froze with 0x5a0 and knew no #VE, in words.
 *
 * Where a table lies in memory is not in them: no two machines agree on it.
 */

const bit = (n: number): bigint => 1n << BigInt(n);

const FROZEN = 0x5a0n;
const PRESENT = bit(11);
const HUGE = bit(7);
const ADDRESS = bit(52) - bit(12);

const FLAGS: readonly (readonly [string, bigint])[] = [
  ["R", bit(0)],
  ["W", bit(1)],
  ["X", bit(2)],
  ["A", bit(8)],
  ["D", bit(9)],
  ["host-writable", bit(57)],
  ["mmu-writable", bit(58)],
];

export const isPresent = (spte: bigint): boolean => (spte & PRESENT) !== 0n;
export const isLeaf = (spte: bigint, level: number): boolean =>
  isPresent(spte) && (level === 1 || (spte & HUGE) !== 0n);
export const isDirty = (spte: bigint): boolean => (spte & bit(9)) !== 0n;
export const pfnOf = (spte: bigint): number => Number((spte & ADDRESS) >> 12n);

export function inWords(spte: bigint, level: number): string {
  if (spte === 0n) return "empty";
  if (spte === FROZEN) return "frozen";
  if (!isPresent(spte)) return `mmio ${spte.toString(16)}`;
  const flags = FLAGS.filter(([, mask]) => (spte & mask) !== 0n).map(([name]) => name);
  return `${isLeaf(spte, level) ? "leaf" : "table"} ${flags.join(" ")}`;
}
