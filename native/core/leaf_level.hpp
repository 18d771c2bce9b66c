// How large a leaf a strategy allows, beside slot and host.
//
// Where memory attributes decide, a huge page must be of one kind: shared, as
// private memory is mapped in 4K pages.
//
// KVM: KVM_LPAGE_MIXED_FLAG, hugepage_has_attrs() (v6.16).
#pragma once

#include "core/huge_page.hpp"
#include "core/mmu.hpp"

namespace mmu {

inline bool allows_level(const Mmu& mmu, Gfn gfn, Level level) {
  if (level == Level::k4K) return true;
  if (mmu.traits.small_leaves_only) return false;
  if (!mmu.traits.checks_attributes || !mmu.has_private_memory()) return true;
  const Gfn first = round_down(gfn, level);
  return !mmu.private_frames.meets({first, {first.value + pages_per(level)}});
}

// The largest level from `level` down that is allowed.
inline Level allowed_level(const Mmu& mmu, Gfn gfn, Level level) {
  while (!allows_level(mmu, gfn, level)) level = below(level);
  return level;
}

}  // namespace mmu
