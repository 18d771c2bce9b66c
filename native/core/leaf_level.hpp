// How large a leaf may be at a frame: what the slot's shape, the host's own
// mapping and the strategy have to say.
//
// Where memory attributes decide, a huge page must be of one kind: shared, as
// private memory is mapped in 4K pages.
//
// KVM: kvm_mmu_hugepage_adjust(), kvm_mmu_max_mapping_level(),
// KVM_LPAGE_MIXED_FLAG, hugepage_has_attrs() (v6.16).
#pragma once

#include "core/host_ops.hpp"
#include "core/huge_page.hpp"

namespace mmu {

inline bool alias_allows(const Mmu& mmu, Gfn gfn, Level level) {
  if (mmu.traits.small_leaves_only) return false;
  if (!mmu.traits.checks_attributes || !mmu.has_private_memory()) return true;
  const Gfn first = round_down(gfn, level);
  return !mmu.private_frames.meets({first, {first.value + pages_per(level)}});
}

// KVM: disallow_lpage, as far as write tracking counts in it.
inline bool is_tracked(const Memslot& slot, Gfn gfn, Level level) {
  const Gfn first = round_down(gfn, level);
  return slot.tracked.meets({first, {first.value + pages_per(level)}});
}

inline bool allows_level(const Mmu& mmu, const Memslot& slot, Gfn gfn,
                         Level level) {
  return level == Level::k4K ||
         (level <= kMaxHugeLevel && allows_huge(slot, gfn, level) &&
          host_allows(mmu, slot, gfn, level) && !is_tracked(slot, gfn, level) &&
          alias_allows(mmu, gfn, level));
}

// The largest level that is allowed, dirty logging aside.
inline Level mapping_level(const Mmu& mmu, const Memslot& slot, Gfn gfn) {
  Level level = slot.has_host_mappings ? kMaxHugeLevel : slot.backing;
  while (!allows_level(mmu, slot, gfn, level)) level = below(level);
  return level;
}

// The level that a fault maps at: 4K while the slot is logged.
inline Level goal_level(const Mmu& mmu, const Memslot& slot, Gfn gfn) {
  return slot.is_logged() ? Level::k4K : mapping_level(mmu, slot, gfn);
}

}  // namespace mmu
