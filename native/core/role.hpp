// Everything that makes one table page reusable for another purpose or not,
// packed as KVM packs it.
//
// KVM: union kvm_mmu_page_role (v6.16).
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
  static constexpr std::uint32_t kEferNx = 1u << 12;
  static constexpr std::uint32_t kCr0Wp = 1u << 13;

  std::uint32_t word = 0;

  friend constexpr bool operator==(PageRole, PageRole) = default;
};

// The role of a table at `level` in a two-dimensional paging tree.
constexpr PageRole tdp_role(Level level) {
  return {number_of(level) | PageRole::kDirect | PageRole::kAccessAll |
          PageRole::kEferNx | PageRole::kCr0Wp};
}

static_assert(tdp_role(Level::k512G).word == 0x3784);
static_assert(tdp_role(Level::k256T).word == 0x3785);

}  // namespace mmu
