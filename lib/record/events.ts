/**
 * The tracepoints that a good trace has, and why. KVM: arch/x86/kvm/trace.h,
 * arch/x86/kvm/mmu/mmutrace.h, include/trace/events/kvm.h, v6.16.
 */

/** Without these there is nothing to replay, or no vCPU and vendor to tell. */
export const FAULT_EVENTS = ["kvm:kvm_page_fault", "kvm:kvm_exit", "kvm:kvm_entry"] as const;

/** What the host does to the guest's memory: why mappings go, and what is dirty. */
export const HOST_EVENTS = [
  "kvm:kvm_unmap_hva_range",
  "kvm:kvm_age_hva",
  "kvm:kvm_test_age_hva",
  "kvm:kvm_dirty_ring_push",
  "kvm:kvm_dirty_ring_reset",
  "kvm:kvm_dirty_ring_exit",
] as const;

/** Every decision of the MMU, entry by entry: what `gpalias verify trace` is held against. */
export const MMU_SYSTEM = "kvmmmu";

/** Events that a kernel may lack: dirty rings came with 5.11. */
export const ALL_EVENTS: readonly string[] = [...FAULT_EVENTS, ...HOST_EVENTS];
