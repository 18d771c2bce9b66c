// Nested tables of 6.1 and its neighbours: as v6.16, but absent is zero.
//
// KVM: spte.h (v5.13 to v6.9).
#pragma once

#include "core/formats/npt_616.hpp"

namespace mmu {

inline constexpr SpteFormat kNpt61{.present = kNpt616.present,
                                   .mmio = kNpt616.mmio,
                                   .empty = 0,
                                   .frozen = ept::kFrozen & ~ept::kSuppressVe};

}  // namespace mmu
