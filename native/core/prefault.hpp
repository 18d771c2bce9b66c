// Faults that no access has led to: a VMM that has memory mapped ahead, and
// pages that have come at last.
//
// KVM: kvm_vcpu_pre_fault_memory(), kvm_arch_async_page_ready() (v6.16).
#pragma once

#include <string_view>

#include "core/mmu.hpp"

namespace mmu {

struct Prefaulted {
  std::uint64_t pages = 0;        // done, from the first on
  Level level = Level::kNone;     // of the last that was mapped
  std::string_view errno_name{};  // of the page that ended it
};

// KVM_PRE_FAULT_MEMORY on frames as the VMM gives them.
Prefaulted prefault(Mmu& mmu, unsigned vcpu, AliasedRange frames);

// Every page that the vCPU waits for has come, and is mapped. False: out of
// memory, and the vCPU waits for the others still.
bool finish_async_faults(Mmu& mmu, unsigned vcpu);

// KVM_PRE_FAULT_MEMORY as it is called.
Result<PrefaultResult> prefault_memory(Mmu& mmu, unsigned vcpu,
                                       std::uint64_t gpa, std::uint64_t bytes);

}  // namespace mmu
