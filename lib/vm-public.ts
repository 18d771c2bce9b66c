/** What users have of a VM beside itself: what it answers, and what its calls take and return. */

export { ENDS as TRANSLATION_ENDS, TranslationBatch } from "./columns/translation-batch.js";
export { WalkBatch } from "./columns/walk-batch.js";
export type { GuestFault, GuestReference, GuestTranslation } from "./guest-translation.js";
export {
  GUEST_FEATURES,
  type GuestCpuid,
  type GuestFeature,
  type GuestRegisters,
  type NestedPaging,
} from "./guest-vcpu.js";
export { type GuestTransfer, KVM_CAP, type RingEntry, type VmCalls } from "./vm-calls.js";
export type { GuestMemory, TranslateOptions, VcpuOption, VmGuest } from "./vm-guest.js";
export type {
  Flushes,
  Leaf,
  LeafCounts,
  Leaves,
  Page,
  Step,
  TableList,
  Tables,
  Violation,
} from "./vm-queries.js";
