// Up to 64 pages of a slot whose dirty bits were taken together.
//
// KVM: kvm_arch_mmu_enable_log_dirty_pt_masked() (v6.16).
#pragma once

#include <bit>

#include "core/address.hpp"

namespace mmu {

struct LogWindow {
  Gfn base;
  std::uint64_t mask = 0;  // bit 0 is `base`; not 0

  constexpr Gfn first() const {
    return {base.value + static_cast<unsigned>(std::countr_zero(mask))};
  }
  constexpr Gfn last() const {
    return {base.value + static_cast<unsigned>(std::bit_width(mask)) - 1};
  }
  constexpr GfnRange range() const { return {first(), {last().value + 1}}; }

  // Where a huge leaf over the window is looked for: at its first page, and at
  // its last if that is in another 2M. KVM compares the two rounded up, so a
  // last page that begins a 2M counts to the one before.
  template <class Act>
  constexpr void for_each_huge_end(Act act) const {
    act(first());
    if (round_up(first()) != round_up(last())) act(last());
  }

 private:
  static constexpr std::uint64_t round_up(Gfn gfn) {
    return (gfn.value + pages_per(Level::k2M) - 1) >> index_shift(Level::k2M);
  }
};

}  // namespace mmu
