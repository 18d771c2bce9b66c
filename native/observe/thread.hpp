// The number of the thread in the first column of a line.
#pragma once

#include <cstdint>
#include <string_view>

namespace mmu::observe {

// "CPU 0/KVM-4145 (  4100)", "vmm-36697", perf's "CPU 0/KVM  699876"; 0 if
// there is none.
std::uint32_t thread_of(std::string_view task);

}  // namespace mmu::observe
