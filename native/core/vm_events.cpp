#include "core/vm_events.hpp"

#include <memory>
#include <utility>
#include <vector>

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

// Nobody asks for a log of what cannot be written. All bitmaps are made before
// the first slot changes, so that the event happens whole or not at all.
void start_loggings(Mmu& mmu, const ViewsOf& views, GfnRange range) {
  std::vector<std::pair<Memslot*, std::unique_ptr<DirtyBitmap>>> ready;
  for_each_slot(mmu, range, [&](Memslot& slot) {
    if (slot.is_logged() || slot.is_readonly()) return;
    ready.emplace_back(&slot, make_bitmap(slot));
  });
  for (auto& [slot, bitmap] : ready) {
    start_logging(mmu, views, *slot, std::move(bitmap));
  }
}

void stop_loggings(Mmu& mmu, const ViewsOf& views, GfnRange range) {
  for_each_slot(mmu, range, [&](Memslot& slot) {
    if (slot.is_logged()) stop_logging(mmu, views, slot);
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
      start_loggings(mmu, views, range);
      break;
    case EventKind::kDirtyLogDisable:
      stop_loggings(mmu, views, range);
      break;
  }
  return done_since(mmu, before);
}

Outcome done_since(const Mmu& mmu, std::uint64_t before) {
  return {OutcomeCode::kDone, 0, 0,
          static_cast<std::uint32_t>(mmu.accounts.changed - before)};
}

}  // namespace mmu
