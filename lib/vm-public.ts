/** What users have of a VM beside itself: what it answers, and what its calls take and return. */
export { type GuestTransfer, KVM_CAP, type RingEntry, type VmCalls } from "./vm-calls.js";
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
