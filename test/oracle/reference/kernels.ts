/**
 * Where KVM's of different kernels differ in what they take: v6.16, the base
 * of the model; v5.10; and a v6.18 for shadow paging, built without SMM.
 */
import type { Kernel } from "./types.js";

export interface KernelRules {
  /** Ids that userspace may use. */
  readonly userSlots: number;
  readonly addressSpaces: number;
  /** Which VMs may have guest_memfd slots. */
  readonly memfd: "none" | "private" | "all";
  /** Flags of KVM_CREATE_GUEST_MEMFD that exist. */
  readonly memfdFlags: number;
  /** Dirty rings came with v5.11. */
  readonly hasRings: boolean;
  /** Bits of a generation that an MMIO entry holds. */
  readonly mmioGenerationBits: number;
  /** Whether a slot must end at or below the highest frame that KVM maps, and below the alias bits. */
  readonly limitsFrames: boolean;
  /** Of a gpa, where no second dimension of paging sets it. */
  readonly fixedGpaBits: number | undefined;
  /** Of a host address, where the host's paging is known. */
  readonly fixedHvaBits: number | undefined;
  /** Ids of vCPUs end below it. */
  readonly vcpuIds: number;
}

const BASE: KernelRules = {
  userSlots: 32764,
  addressSpaces: 2,
  memfd: "private",
  memfdFlags: 0,
  hasRings: true,
  mmioGenerationBits: 19,
  limitsFrames: true,
  fixedGpaBits: undefined,
  fixedHvaBits: undefined,
  vcpuIds: 65_536,
};

export const KERNELS: Readonly<Record<Kernel, KernelRules>> = {
  "6.16": BASE,
  "5.10": {
    ...BASE,
    userSlots: 509,
    hasRings: false,
    memfd: "none",
    mmioGenerationBits: 18,
    limitsFrames: false,
  },
  "pvm-6.18": {
    ...BASE,
    addressSpaces: 1,
    memfd: "all",
    // MMAP and INIT_SHARED.
    memfdFlags: 3,
    fixedGpaBits: 52,
    fixedHvaBits: 47,
    vcpuIds: 4096,
  },
};
