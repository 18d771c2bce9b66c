// How large a page a slot's own shape allows at a frame.
//
// KVM keeps a counter per huge page of a slot, disallow_lpage. What a slot's
// own shape contributes to it is computed here instead of stored: a page is
// allowed if it lies wholly inside the slot, and frames and host addresses are
// congruent at its size.
//
// KVM: kvm_alloc_memslot_metadata() (v6.16).
#pragma once

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

}  // namespace mmu
