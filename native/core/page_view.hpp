// One page in full: hardware's way to it through each alias, and what each
// vCPU remembers of it. For whoever explains what went wrong.
#pragma once

#include "core/mmu.hpp"

namespace mmu {

// kEvent for a gpa that the VM does not have. Changes nothing.
Result<PageView> view_page(const Mmu& mmu, std::uint64_t gpa);

}  // namespace mmu
