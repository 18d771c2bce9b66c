/** The registers that have a say in a walk, and what each bit of them is called. */
import { bit, has } from "./bits.js";

export interface Registers {
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  readonly rflags: bigint;
  readonly pkru: bigint;
}

/** A vCPU out of reset: paging is off. */
export const AT_RESET: Registers = { cr0: 0x60000010n, cr3: 0n, cr4: 0n, efer: 0n, rflags: 2n, pkru: 0n };

export const CR0_PE = bit(0);
export const CR0_WP = bit(16);
export const CR0_NW = bit(29);
export const CR0_CD = bit(30);
export const CR0_PG = bit(31);
export const CR4_PSE = bit(4);
export const CR4_PAE = bit(5);
export const CR4_LA57 = bit(12);
export const CR4_SMEP = bit(20);
export const CR4_SMAP = bit(21);
export const CR4_PKE = bit(22);
export const EFER_LME = bit(8);
export const EFER_LMA = bit(10);
export const EFER_NX = bit(11);
export const RFLAGS_AC = bit(18);

export const heedsWriteProtect = ({ cr0 }: Registers): boolean => has(cr0, CR0_WP);
export const hasNoExecute = ({ efer }: Registers): boolean => has(efer, EFER_NX);
export const hasSmep = ({ cr4 }: Registers): boolean => has(cr4, CR4_SMEP);
export const hasSmap = ({ cr4 }: Registers): boolean => has(cr4, CR4_SMAP);
export const hasLargePages = ({ cr4 }: Registers): boolean => has(cr4, CR4_PSE);

/** Keys lie in entries of long mode alone. */
export const hasProtectionKeys = ({ cr4, efer }: Registers): boolean =>
  has(cr4, CR4_PKE) && has(efer, EFER_LMA);
