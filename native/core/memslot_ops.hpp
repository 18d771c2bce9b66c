// What a change of the memslots does to mappings.
//
// KVM: kvm_set_memory_region(), kvm_arch_flush_shadow_memslot() (v6.16).
#pragma once

#include "core/dirty_log.hpp"

namespace mmu {

// KVM_SET_USER_MEMORY_REGION, for the slot and then for each of its twins.
Result<SlotChange> set_memslot(Mmu& mmu, const MemslotRegion& region);

}  // namespace mmu
