// The 64-bit format of AMD's nested tables, and of tables that shadow a
// guest's, in v6.16.
//
// Present and executable are one bit each in every format, but not the same
// way round: here P is always set and NX forbids. Nested tables are walked as
// user accesses, so U is set wherever EPT has R. Memory types are the host's.
//
// KVM: spte.h, kvm_mmu_reset_all_pte_masks() (v6.16).
#pragma once

#include "core/formats/spte_format.hpp"

namespace mmu {

namespace pt64 {

inline constexpr std::uint64_t kPresent = bit(0);
inline constexpr std::uint64_t kWrite = bit(1);
inline constexpr std::uint64_t kUser = bit(2);
inline constexpr std::uint64_t kAccessed = bit(5);
inline constexpr std::uint64_t kDirty = bit(6);
inline constexpr std::uint64_t kHuge = bit(7);
inline constexpr std::uint64_t kNoExec = bit(63);
inline constexpr std::uint64_t kHostWritable = bit(9);
inline constexpr std::uint64_t kMmuWritable = bit(10);
inline constexpr std::uint64_t kMmuPresent = bit(11);

// A physical address bit that is reserved on any host below 52 bits.
inline constexpr std::uint64_t kReserved = bit(51);

// What hardware reads.
constexpr std::uint64_t hardware_bits(std::uint64_t raw) {
  return kPresent | moved(raw, ept::kRead, kUser) | (raw & kWrite) |
         moved(~raw, ept::kExec, kNoExec) | moved(raw, ept::kHuge, kHuge) |
         moved(raw, ept::kAccessed, kAccessed) |
         moved(raw, ept::kDirty, kDirty);
}
static_assert(kWrite == ept::kWrite);

}  // namespace pt64

inline constexpr SpteFormat kNpt616{
    .present =
        [](std::uint64_t raw) {
          return (raw & kSameEverywhere) | pt64::hardware_bits(raw) |
                 moved(raw, ept::kHostWritable, pt64::kHostWritable) |
                 moved(raw, ept::kMmuWritable, pt64::kMmuWritable) |
                 pt64::kMmuPresent;
        },
    .mmio = {.marker = pt64::kReserved | pt64::kPresent,
             .told_by = pt64::kReserved | pt64::kPresent,
             .told_by_value = pt64::kReserved | pt64::kPresent,
             .access = pt64::kWrite | pt64::kUser,
             .generation_bits = ept::kGenerationBits,
             .low_bits = ept::kGenerationLowBits,
             .high_shift = ept::kGenerationHighShift},
    .empty = ept::kEmpty,
    .frozen = ept::kFrozen};

}  // namespace mmu
