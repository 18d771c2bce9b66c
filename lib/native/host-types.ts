/** The host's side of the addon's interface: how it is set up, and what it does to a VM. Unchecked, as `addon-types.ts`. */

/** Members of HostOptions in `native/core/machine.hpp`. */
export interface NativeHost {
  readonly vendor: string;
  readonly adBits: boolean;
  readonly pml: boolean;
  readonly nxHugePages: boolean;
  readonly eagerPageSplit: boolean;
  readonly mmioCaching: boolean;
  readonly l1tf: boolean;
  readonly memoryTypes: boolean;
  readonly slotZapAll: boolean;
  readonly asyncPageFaults: boolean;
  readonly apicv: boolean;
}

/** What KVM_PRE_FAULT_MEMORY came to. */
export interface NativePrefault {
  readonly bytesDone: number;
  /** `""`, or the errno of the ioctl, which has then done nothing. */
  readonly errno: string;
}

/** Invalidations that are open, the slot frames [start, end) that they or the last ones are about, and how many are over. */
export interface NativeInvalidation {
  readonly inProgress: number;
  readonly start: number;
  readonly end: number;
  readonly sequence: number;
}
