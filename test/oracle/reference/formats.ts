/**
 * An entry as an older kernel lays it out: v5.10 keeps its writable marks
 * lower, knows no mark for what is present, leaves empty entries all zero, and
 * sets Accessed and Dirty only where hardware does.
 */
import type { Kernel } from "./types.js";

const bit = (position: number): bigint => 1n << BigInt(position);
const [HOST_WRITABLE, MMU_WRITABLE, MMU_PRESENT, SUPPRESS_VE] = [bit(57), bit(58), bit(11), bit(63)];
const OWN = HOST_WRITABLE | MMU_WRITABLE | MMU_PRESENT | SUPPRESS_VE;
const [ACCESSED, DIRTY, WITHOUT_AD] = [bit(8), bit(9), bit(52)];
const [OLD_HOST_WRITABLE, OLD_MMU_WRITABLE] = [bit(10), bit(11)];

/** `spte`: in the layout of v6.16, and no MMIO entry. */
export function asKernelHasIt(kernel: Kernel, spte: bigint): bigint {
  if (kernel !== "5.10") return spte;
  const host = (spte & HOST_WRITABLE) === 0n ? 0n : OLD_HOST_WRITABLE;
  const mmu = (spte & MMU_WRITABLE) === 0n ? 0n : OLD_MMU_WRITABLE;
  const unused = (spte & WITHOUT_AD) === 0n ? 0n : ACCESSED | DIRTY;
  return (spte & ~OWN & ~unused) | host | mmu;
}
