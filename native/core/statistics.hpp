// KVM's statistics, by the names that each kernel has for them.
//
// Little is counted: what follows from other counts is computed when somebody
// asks, so that the paths of the commonest faults keep two counters and no
// more.
#pragma once

#include "core/mmu.hpp"

namespace mmu {

// The vCPUs' summed, then the VM's own.
std::vector<NamedCount> list_stats(const Mmu& mmu);
// kEvent where there is no such vCPU.
Result<std::vector<NamedCount>> list_vcpu_stats(const Mmu& mmu,
                                                std::uint32_t vcpu);

}  // namespace mmu
