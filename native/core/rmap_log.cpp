// Dirty logging where leaves are found by reverse map.
#include "core/leaf_level.hpp"
#include "core/rmap_ops.hpp"

namespace mmu {

// KVM: rmap_write_protect() with pt_protect.
bool RmapOps::write_protect(Gfn gfn, Level min_level) {
  constexpr std::uint64_t kBits = ept::kWrite | ept::kMmuWritable;
  const Memslot* slot = mmu_.slots().find(gfn);
  if (slot == nullptr) return false;
  const std::uint64_t before = mmu_.accounts.changed;
  for (Level level = min_level; level <= kMaxHugeLevel; level = above(level)) {
    for_each(*slot, level, {gfn, {gfn.value + 1}}, [&](Leaf& leaf) {
      if (!leaf.spte.is_blocked()) take(leaf, leaf.spte.without(kBits));
    });
  }
  return mmu_.accounts.changed != before;
}

void RmapOps::take_logged(const Memslot& slot, Level level, GfnRange frames,
                          std::uint64_t bits) {
  for_each(slot, level, frames, [&](Leaf& leaf) {
    if (leaf.spte.is_blocked() || is_private(leaf)) return;
    take(leaf, leaf.spte.without(bits));
  });
}

// Nothing is split: a huge leaf loses W, and the fault that follows maps it
// anew. KVM: kvm_mmu_slot_leaf_clear_dirty(),
// kvm_mmu_slot_remove_write_access().
void RmapOps::arm(const Memslot& slot) {
  const std::uint64_t of_small =
      mmu_.pml == nullptr ? ept::kWrite : ept::kDirty;
  for (const Level level : kLeafLevels) {
    take_logged(slot, level, slot.range,
                level == Level::k4K ? of_small : ept::kWrite);
  }
}

void RmapOps::rearm(const Memslot& slot, Gfn first, std::uint64_t mask) {
  if (mmu_.log.is_set_at_first) {
    LogWindow{first, mask}.for_each_huge_end([&](Gfn gfn) {
      for (const Level level : {Level::k2M, Level::k1G}) {
        take_logged(slot, level, {gfn, {gfn.value + 1}},
                    ept::kWrite | ept::kMmuWritable);
      }
    });
  }
  const std::uint64_t bits = mmu_.pml == nullptr ? ept::kWrite : ept::kDirty;
  for (; mask != 0; mask &= mask - 1) {
    const Gfn gfn{first.value + static_cast<unsigned>(std::countr_zero(mask))};
    take_logged(slot, Level::k4K, {gfn, {gfn.value + 1}}, bits);
  }
}

// Of the leaves that could be larger, the one that its list has had longest.
// KVM: kvm_mmu_zap_collapsible_spte().
std::optional<RmapOps::Leaf> RmapOps::oldest_collapsible(
    const Memslot& slot, Level level, std::uint64_t list) const {
  std::optional<Leaf> oldest;
  slot.rmap->for_each(level, list, [&](SpteRef ref) {
    const Leaf leaf = leaf_at(level, ref);
    if (!leaf.spte.is_present() || is_private(leaf)) return;
    const Gfn base = mmu_.alias.slot_gfn(frame_of(leaf.table, 0));
    if (mapping_level(mmu_, slot, base) > level) oldest = leaf;
  });
  return oldest;
}

// They go, and the next fault maps them so. KVM looks at a list anew after each
// of its leaves. KVM: kvm_rmap_zap_collapsible_sptes().
bool RmapOps::disarm(const Memslot& slot) {
  if (slot.rmap == nullptr) return false;
  bool any = false;
  for (const Level level : {Level::k4K, Level::k2M}) {
    const Gfn last{slot.range.end.value - 1};
    const std::uint64_t end = slot.rmap->index_of(last, level) + 1;
    const auto next = [&](std::uint64_t from) {
      return slot.rmap->next_used(level, from, end);
    };
    for (std::uint64_t list = next(0); list < end; list = next(list + 1)) {
      while (auto leaf = oldest_collapsible(slot, level, list)) {
        take(*leaf, Spte{});
        any = true;
        if (!mmu_.flush.has_range_hook()) continue;
        const Gfn gfn = mmu_.alias.slot_gfn(leaf->frames.start);
        mmu_.flush.range({gfn, {gfn.value + pages_per(level)}});
      }
    }
  }
  return any && !mmu_.flush.has_range_hook();
}

}  // namespace mmu
