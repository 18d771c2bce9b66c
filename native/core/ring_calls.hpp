// Dirty rings of a VM: enabled, collected by the VMM, reset.
//
// KVM: kvm_vm_ioctl_enable_dirty_log_ring(), kvm_vm_ioctl_reset_dirty_pages(),
// kvm_dirty_ring_reset() (v6.16).
#pragma once

#include "core/mmu.hpp"

namespace mmu {

// KVM_CAP_DIRTY_LOG_RING. `bytes`: of each vCPU's ring.
std::optional<Error> enable_rings(Mmu& mmu, std::uint32_t bytes);

// Of a vCPU that comes into being.
Result<DirtyRing> make_ring(const DirtyRings& rings);

// The VMM reads entries and marks them as collected. `most` 0: all there are.
Result<std::vector<DirtyRingEntry>> collect_ring(Mmu& mmu, std::uint32_t vcpu,
                                                 std::uint64_t most);

// KVM_RESET_DIRTY_RINGS: how many entries it gave back.
Result<std::uint64_t> reset_rings(Mmu& mmu);

// A VMM's answer to KVM_EXIT_DIRTY_RING_FULL: it collects that vCPU's ring and
// resets. True if the exit was due.
bool empty_full_ring(Mmu& mmu, std::uint16_t vcpu);

// Collects every ring and resets; false without rings.
bool collect_and_reset_rings(Mmu& mmu);

}  // namespace mmu
