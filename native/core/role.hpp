// Everything that makes one table page reusable for another purpose or not,
// packed as KVM packs it.
//
// KVM: union kvm_mmu_page_role (v6.16, 5.10).
#pragma once

#include <cstdint>

#include "core/address.hpp"
#include "core/bits.hpp"

namespace mmu {

struct PageRole {
  // Leaves below map a linear range: no guest table is shadowed. Unrelated to
  // alias bits.
  static constexpr std::uint32_t kDirect = 1u << 7;
  // X, W and U, as inherited from above; all of them in a direct tree.
  static constexpr std::uint32_t kAccessAll = 7u << 8;
  // A root that no vCPU may load any more.
  static constexpr std::uint32_t kInvalid = 1u << 11;
  static constexpr std::uint32_t kEferNx = 1u << 12;
  static constexpr std::uint32_t kCr0Wp = 1u << 13;
  // SMEP and SMAP count here only where CR0.WP is clear.
  static constexpr std::uint32_t kSmepAndNotWp = 1u << 14;
  static constexpr std::uint32_t kSmapAndNotWp = 1u << 15;
  // Nobody keeps Accessed and Dirty below.
  static constexpr std::uint32_t kAdDisabled = 1u << 16;
  // The tree is KVM's picture of external tables.
  static constexpr std::uint32_t kMirror = 1u << 19;
  // Of the guest's tables: 4 bytes an entry, so that one of them takes two
  // pages of 8-byte entries, or four at level 2.
  static constexpr std::uint32_t kHas4ByteGpte = 1u << 4;
  static constexpr unsigned kQuadrantShift = 5;
  static constexpr std::uint32_t kQuadrant = 3u << kQuadrantShift;
  // The number of the address space.
  static constexpr unsigned kSmmShift = 24;

  static constexpr std::uint32_t kLevel = 15;

  std::uint32_t word = 0;

  friend constexpr bool operator==(PageRole, PageRole) = default;

  constexpr bool has(std::uint32_t mask) const { return (word & mask) == mask; }
  constexpr unsigned level() const { return word & kLevel; }
  constexpr unsigned quadrant() const {
    return (word & kQuadrant) >> kQuadrantShift;
  }
  constexpr PageRole at_level(unsigned level) const {
    return {(word & ~kLevel) | level};
  }
  constexpr PageRole in_quadrant(unsigned quadrant) const {
    return {(word & ~kQuadrant) | quadrant << kQuadrantShift};
  }
  constexpr PageRole with(std::uint32_t mask) const { return {word | mask}; }
  // 5.10 says the opposite of kHas4ByteGpte, and knows no mirrors.
  constexpr PageRole as_510() const { return {word ^ kHas4ByteGpte}; }
};

// The role of a table at `level` in a two-dimensional paging tree.
constexpr PageRole tdp_role(Level level) {
  return {number_of(level) | PageRole::kDirect | PageRole::kAccessAll |
          PageRole::kEferNx | PageRole::kCr0Wp};
}

static_assert(tdp_role(Level::k512G).word == 0x3784);
static_assert(tdp_role(Level::k256T).word == 0x3785);

}  // namespace mmu
