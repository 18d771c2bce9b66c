// EPT of 6.1 and its neighbours: as v6.16, before KVM knew of #VE, so that
// bit 63 is never set. Where nobody keeps A and D, both are clear.
//
// KVM: spte.h, kvm_mmu_set_ept_masks() (v5.13 to v6.9).
#pragma once

#include "core/formats/ept_616.hpp"

namespace mmu {

constexpr std::uint64_t without_unkept_marks(std::uint64_t raw) {
  const bool kept = (raw & ept::kAdType) != ept::kAdDisabled;
  return kept ? raw : raw & ~(ept::kAccessed | ept::kDirty);
}

inline constexpr SpteFormat kEpt61{
    .present =
        [](std::uint64_t raw) {
          return without_unkept_marks(raw) & ~ept::kSuppressVe;
        },
    .mmio = {.marker = ept::kMmioMarker,
             .told_by = ept::kPermissions,
             .told_by_value = ept::kMmioMarker,
             .access = 0,
             .generation_bits = ept::kGenerationBits,
             .low_bits = ept::kGenerationLowBits,
             .high_shift = ept::kGenerationHighShift},
    .empty = 0,
    .frozen = ept::kFrozen & ~ept::kSuppressVe};

}  // namespace mmu
