// Dirty logging where leaves are found by reverse map.
#include "core/leaf_level.hpp"
#include "core/rmap_ops.hpp"

namespace mmu {

void RmapOps::arm(const Memslot& slot) {
  for (const Level level : kLeafLevels) {
    for_each(slot, level, slot.range, [&](Leaf& leaf) {
      if (leaf.spte.is_blocked() || is_private(leaf)) return;
      take(leaf, leaf.spte.without(ept::kWrite));
    });
  }
}

void RmapOps::rearm(const Memslot& slot, Gfn first, std::uint64_t mask) {
  for (; mask != 0; mask &= mask - 1) {
    const Gfn gfn{first.value + static_cast<unsigned>(std::countr_zero(mask))};
    for_each(slot, Level::k4K, {gfn, {gfn.value + 1}}, [&](Leaf& leaf) {
      if (leaf.spte.is_blocked() || is_private(leaf)) return;
      take(leaf, leaf.spte.without(ept::kWrite));
    });
  }
}

// Leaves that could be larger go, and the next fault maps them so.
// KVM: kvm_rmap_zap_collapsible_sptes(), kvm_mmu_zap_collapsible_spte().
bool RmapOps::disarm(const Memslot& slot) {
  bool any = false;
  for (const Level level : {Level::k4K, Level::k2M}) {
    for_each(slot, level, slot.range, [&](Leaf& leaf) {
      if (leaf.spte.is_blocked() || is_private(leaf)) return;
      const Gfn base = mmu_.alias.slot_gfn(frame_of(leaf.table, 0));
      if (mapping_level(mmu_, slot, base) <= level) return;
      take(leaf, Spte{});
      any = true;
      if (!mmu_.flush.has_range_hook()) return;
      const Gfn gfn = mmu_.alias.slot_gfn(leaf.frames.start);
      mmu_.flush.range({gfn, {gfn.value + pages_per(level)}});
    });
  }
  return any && !mmu_.flush.has_range_hook();
}

}  // namespace mmu
