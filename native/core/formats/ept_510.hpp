// EPT of 5.10: two software bits sit where v6.16 has MMU-present and nothing,
// an entry is present if it is not zero, and an MMIO entry is known by an
// A/D type that nothing else has. Nothing is frozen: what goes is zero.
//
// KVM: spte.h, make_mmio_spte() (5.10).
#pragma once

#include "core/formats/ept_61.hpp"

namespace mmu {

namespace old {

inline constexpr std::uint64_t kHostWritable = bit(10);
inline constexpr std::uint64_t kMmuWritable = bit(11);

constexpr std::uint64_t software_bits(std::uint64_t raw) {
  return moved(raw, ept::kHostWritable, kHostWritable) |
         moved(raw, ept::kMmuWritable, kMmuWritable);
}

inline constexpr unsigned kGenerationBits = 18;
inline constexpr unsigned kGenerationLowBits = 9;
inline constexpr unsigned kGenerationHighShift = 54;

}  // namespace old

inline constexpr SpteFormat kEpt510{
    .present =
        [](std::uint64_t raw) {
          constexpr std::uint64_t kLow = bits(9, 0);
          return (without_unkept_marks(raw) & (kSameEverywhere | kLow)) |
                 old::software_bits(raw);
        },
    .mmio = {.marker = ept::kAdType | ept::kMmioMarker,
             .told_by = ept::kAdType,
             .told_by_value = ept::kAdType,
             .access = 0,
             .generation_bits = old::kGenerationBits,
             .low_bits = old::kGenerationLowBits,
             .high_shift = old::kGenerationHighShift},
    .empty = 0,
    .frozen = 0};

}  // namespace mmu
