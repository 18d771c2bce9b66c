#include "core/vm_events.hpp"

#include "core/range_ops.hpp"

namespace mmu {
namespace {

template <class Act>
void for_each_slot(Mmu& mmu, GfnRange range, Act act) {
  for (Memslot* slot : mmu.slots().in_id_order()) {
    if (range.empty() || slot->range.overlaps(range)) act(*slot);
  }
}

std::uint64_t take_dirty_logs(Mmu& mmu, const ViewsOf& views, GfnRange range) {
  std::uint64_t pages = 0;
  for_each_slot(mmu, range, [&](Memslot& slot) {
    if (slot.is_logged()) pages += take_dirty_log(mmu, views, slot);
  });
  return pages;
}

// Nobody asks for a log of what cannot be written.
void set_loggings(Mmu& mmu, const ViewsOf& views, GfnRange range, bool logged) {
  for_each_slot(mmu, range, [&](Memslot& slot) {
    if (!logged || !slot.is_readonly()) set_logging(mmu, views, slot, logged);
  });
}

}  // namespace

Outcome apply_vm_event(Mmu& mmu, const ViewsOf& views, EventKind kind,
                       GfnRange range) {
  const std::uint64_t before = mmu.accounts.changed;
  switch (kind) {
    case EventKind::kAccess:
    case EventKind::kEnd:
      break;
    case EventKind::kZap:
      for (const View& view : views(range)) zap_leafs(mmu.tree, view.range);
      break;
    case EventKind::kZapAllFast:
      zap_all_fast(mmu);
      break;
    case EventKind::kDirtyLogGet:
      count_round(mmu.dirty_rounds, take_dirty_logs(mmu, views, range));
      break;
    case EventKind::kDirtyLogEnable:
    case EventKind::kDirtyLogDisable:
      set_loggings(mmu, views, range, kind == EventKind::kDirtyLogEnable);
      break;
  }
  return done_since(mmu, before);
}

Outcome done_since(const Mmu& mmu, std::uint64_t before) {
  return {OutcomeCode::kDone, 0, 0,
          static_cast<std::uint32_t>(mmu.accounts.changed - before)};
}

}  // namespace mmu
