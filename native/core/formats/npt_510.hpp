// AMD's nested tables in 5.10: hardware's bits as ever, software's as its EPT.
#pragma once

#include "core/formats/ept_510.hpp"
#include "core/formats/npt_616.hpp"

namespace mmu {

inline constexpr SpteFormat kNpt510{
    .present =
        [](std::uint64_t raw) {
          return (raw & kSameEverywhere) | pt64::hardware_bits(raw) |
                 old::software_bits(raw);
        },
    .mmio = {.marker = ept::kAdType | pt64::kReserved | pt64::kPresent,
             .told_by = ept::kAdType,
             .told_by_value = ept::kAdType,
             .access = pt64::kWrite | pt64::kUser,
             .generation_bits = old::kGenerationBits,
             .low_bits = old::kGenerationLowBits,
             .high_shift = old::kGenerationHighShift},
    .empty = 0,
    .frozen = 0};

}  // namespace mmu
