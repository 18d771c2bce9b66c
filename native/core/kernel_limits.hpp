// What whoever builds a kernel chooses, and no version of it fixes.
#pragma once

#include <cstdint>

#include "core/machine.hpp"

namespace mmu {

// Of the events' vcpu column.
inline constexpr std::uint32_t kMostVcpus = 65536;

// Ids of vCPUs end below it: KVM_CAP_MAX_VCPU_ID, as the recorded kernel was
// built; elsewhere as far as events can name them.
constexpr std::uint32_t vcpu_ids_of(Kernel kernel) {
  return kernel == Kernel::kPvm618 ? 4096 : kMostVcpus;
}

}  // namespace mmu
