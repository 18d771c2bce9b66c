// How large a page may be mapped at a frame.
//
// KVM keeps a counter per huge page of a slot, disallow_lpage. What a slot's
// own shape contributes to it is computed here instead of stored: a page is
// allowed if it lies wholly inside the slot, and frames and host addresses are
// congruent at its size.
//
// KVM: kvm_alloc_memslot_metadata(), kvm_mmu_hugepage_adjust(),
// kvm_mmu_max_mapping_level() (v6.16).
#pragma once

#include <algorithm>

#include "core/memslot.hpp"

namespace mmu {

inline bool allows_huge(const Memslot& slot, Gfn gfn, Level level) {
  const std::uint64_t pages = pages_per(level);
  const std::uint64_t first = round_down(gfn, level).value;
  const std::uint64_t skew =
      slot.range.start.value ^ (slot.hva.value >> kPageShift);
  return (skew & (pages - 1)) == 0 && first >= slot.range.start.value &&
         first + pages <= slot.range.end.value;
}

// The largest level that slot and host allow, dirty logging aside.
inline Level max_mapping_level(const Memslot& slot, Gfn gfn) {
  Level level = std::min(kMaxHugeLevel, slot.backing);
  while (level > Level::k4K && !allows_huge(slot, gfn, level)) {
    level = below(level);
  }
  return level;
}

// The level that a fault maps at: 4K while the slot is logged.
inline Level goal_level(const Memslot& slot, Gfn gfn) {
  return slot.is_logged() ? Level::k4K : max_mapping_level(slot, gfn);
}

}  // namespace mmu
