/** What the guest's CPUID says, as far as a walk asks. */
import { bits } from "./bits.js";

export interface Features {
  /** The low byte of leaf 0x80000008 EAX; undefined where the guest has no such leaf. */
  readonly maxphyaddr: number | undefined;
  /** AMD or Hygon: bit 8 is reserved in the two upper kinds of table. */
  readonly isAmd: boolean;
  /** PDPE1GB. */
  readonly hasGigabytePages: boolean;
  /** Bits of a guest-physical address that an alias scheme took for itself; 0 where there is none. */
  readonly stolen: bigint;
}

/** A vCPU whose CPUID was never set. */
export const NO_CPUID: Features = {
  maxphyaddr: undefined,
  isAmd: false,
  hasGigabytePages: false,
  stolen: 0n,
};

/** KVM: cpuid_query_maxphyaddr(). */
const WITHOUT_LEAF = 36;

/** Bits of an address, up to `top`, that this guest's physical addresses lack and no alias uses. */
export const unusedAddressBits = ({ maxphyaddr, stolen }: Features, top: number): bigint =>
  bits(top, maxphyaddr ?? WITHOUT_LEAF) & ~stolen;
