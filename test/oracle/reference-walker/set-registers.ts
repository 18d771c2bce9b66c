/** Registers that userspace may not set. KVM: kvm_is_valid_sregs() (v6.16). */
import { bits, has } from "./bits.js";
import { type Features, unusedAddressBits } from "./features.js";
import { CR0_CD, CR0_NW, CR0_PE, CR0_PG, CR4_PAE, EFER_LMA, EFER_LME, type Registers } from "./registers.js";

type Asked = Pick<Registers, "cr0" | "cr3" | "cr4" | "efer"> & { readonly isCode64: boolean };

const isGoodCr0 = (cr0: bigint): boolean => {
  if (has(cr0, bits(63, 32))) return false;
  if (has(cr0, CR0_PG) && !has(cr0, CR0_PE)) return false;
  return !has(cr0, CR0_NW) || has(cr0, CR0_CD);
};

/** A root beyond the guest's addresses is refused in long mode alone; no alias may stand in one. */
const isGoodLongMode = ({ cr3, cr4, efer }: Asked, features: Features): boolean =>
  has(cr4, CR4_PAE) && has(efer, EFER_LMA) && !has(cr3, unusedAddressBits({ ...features, stolen: 0n }, 63));

const isGoodOtherMode = ({ efer, isCode64 }: Asked): boolean => !has(efer, EFER_LMA) && !isCode64;

/** `cr4Allowed`: bits that kernel and CPUID together let this guest set. */
export function mayBeSet(asked: Asked, features: Features, cr4Allowed: bigint): boolean {
  const isLong = has(asked.efer, EFER_LME) && has(asked.cr0, CR0_PG);
  const isGoodMode = isLong ? isGoodLongMode(asked, features) : isGoodOtherMode(asked);
  return isGoodMode && isGoodCr0(asked.cr0) && !has(asked.cr4, ~cr4Allowed);
}
