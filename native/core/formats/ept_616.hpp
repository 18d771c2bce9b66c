// EPT of v6.16: what the engine has, but for the L1TF form of MMIO entries.
#pragma once

#include "core/formats/spte_format.hpp"

namespace mmu {

inline constexpr SpteFormat kEpt616{
    .present = [](std::uint64_t raw) { return raw; },
    .mmio = {.marker = ept::kMmioMarker,
             .told_by = ept::kMmioMask,
             .told_by_value = ept::kMmioMarker,
             .access = 0,
             .generation_bits = ept::kGenerationBits,
             .low_bits = ept::kGenerationLowBits,
             .high_shift = ept::kGenerationHighShift},
    .empty = ept::kEmpty,
    .frozen = ept::kFrozen};

}  // namespace mmu
