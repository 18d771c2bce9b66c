/** How the modelled host's KVM was loaded: module parameters, quirks, what its processor has. */

export interface HostOptions {
  readonly vendor: "intel" | "amd";
  readonly adBits: boolean;
  /** Page-modification log; in use only with Accessed and Dirty bits. */
  readonly pml: boolean;
  readonly nxHugePages: boolean;
  readonly eagerPageSplit: boolean;
  readonly mmioCaching: boolean;
  readonly l1tf: boolean;
  readonly memoryTypes: boolean;
  /** KVM_X86_QUIRK_SLOT_ZAP_ALL. */
  readonly slotZapAll: boolean;
  readonly asyncPageFaults: boolean;
  readonly apicv: boolean;
}

export const HOST_DEFAULTS: HostOptions = {
  vendor: "intel",
  adBits: true,
  pml: false,
  nxHugePages: false,
  eagerPageSplit: true,
  mmioCaching: true,
  l1tf: false,
  memoryTypes: false,
  slotZapAll: true,
  asyncPageFaults: false,
  apicv: true,
};
