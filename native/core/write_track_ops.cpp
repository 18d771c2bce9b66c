#include "core/write_track_ops.hpp"

#include <algorithm>

#include "core/flavour.hpp"
#include "core/range_ops.hpp"
#include "core/rmap_ops.hpp"
#include "core/tdp_ops.hpp"

namespace mmu {
namespace {

GfnRange common(GfnRange a, GfnRange b) {
  return {std::max(a.start, b.start), std::min(a.end, b.end)};
}

// Calls act(slot, frames) for what the slots have of the range, twins too,
// which have it at their alias' offset.
template <class Act>
void for_each_part(Mmu& mmu, GfnRange range, Act act) {
  const AliasSpace& space = mmu.alias.space();
  for (const auto& slot : mmu.slots().slots()) {
    const std::uint64_t offset =
        slot->is_twin ? space.offset_of(
                            space.alias_of(AliasedGfn{slot->range.start.value}))
                      : 0;
    const GfnRange frames = common(slot->range, {{range.start.value + offset},
                                                 {range.end.value + offset}});
    if (!frames.empty()) act(*slot, frames);
  }
  mmu.slots().forget_last();
}

// Of all slots before the first has changed.
void make_room(Mmu& mmu, GfnRange frames) {
  for_each_part(mmu, frames, [](Memslot& slot, GfnRange part) {
    slot.tracked.make_room(part);
  });
}

}  // namespace

void track_writes(Mmu& mmu, GfnRange frames) {
  make_room(mmu, frames);
  bool any = false;
  for_each_part(mmu, frames, [&](Memslot& slot, GfnRange part) {
    slot.tracked.add(part);
    slot.note_needs();
    any |= mmu.ops->write_protect_gfns(slot, part);
  });
  if (any) mmu.flush.all();
}

void untrack_writes(Mmu& mmu, GfnRange frames) {
  make_room(mmu, frames);
  for_each_part(mmu, frames, [](Memslot& slot, GfnRange part) {
    slot.tracked.remove(part);
    slot.note_needs();
  });
}

// KVM: kvm_tdp_mmu_write_protect_gfn().
bool TdpOps::write_protect_gfns(const Memslot& slot, GfnRange frames) {
  if (slot.as_id != 0) return false;
  bool any = false;
  for (const View& view : mmu_.alias.views(frames)) {
    any |= took(view, write_protect_for_good(mmu_.tree(view.root), view.range));
  }
  return any;
}

// KVM: kvm_mmu_slot_gfn_write_protect().
bool RmapOps::write_protect_gfns(const Memslot& slot, GfnRange frames) {
  bool any = false;
  for (const Level level : kLeafLevels) {
    for_each(slot, level, frames, [&](Leaf& leaf) {
      if (!leaf.spte.is_present()) return;
      const Spte now = leaf.spte.without(ept::kWrite | ept::kMmuWritable);
      any |= now != leaf.spte;
      take(leaf, now);
    });
  }
  return any;
}

}  // namespace mmu
