// How many shadow pages, and how many leaves of one frame, the legacy MMU
// keeps. KVM: make_mmu_pages_available(), kvm_mmu_zap_oldest_mmu_pages(),
// __rmap_add() (v6.16).
#include <algorithm>

#include "core/rmap_ops.hpp"

namespace mmu {
namespace {

// KVM: KVM_MIN_FREE_MMU_PAGES, KVM_REFILL_PAGES,
// KVM_MEMSLOT_PAGES_TO_MMU_PAGES_RATIO.
constexpr std::uint64_t kLeastFree = 5;
constexpr std::uint64_t kRefill = 25;
constexpr std::uint64_t kMemoryPerPage = 50;

}  // namespace

std::uint64_t RmapOps::free_pages() const {
  const std::uint64_t used = used_pages();
  return max_pages_ > used ? max_pages_ - used : 0;
}

// Before a fault maps. False: ENOSPC.
bool RmapOps::make_pages_available() {
  const std::uint64_t free = free_pages();
  if (free >= kLeastFree) return true;
  zap_oldest(kRefill - free);
  return free_pages() != 0;
}

// One flush for all that went. A root is none of them: vCPUs would only have
// to load a new one.
void RmapOps::zap_oldest(std::uint64_t pages) {
  std::uint64_t& recycled = mmu_.stats.mmu_recycled;
  const std::uint64_t before = recycled;
  for (; pages != 0 && zap_one_old(); --pages) ++recycled;
  if (recycled != before) mmu_.flush.all();
}

// Pages that cannot go stay within what is allowed.
void RmapOps::change_limit(std::uint64_t pages) {
  const std::uint64_t used = used_pages();
  if (used > pages) {
    zap_oldest(used - pages);
    pages = used_pages();
  }
  max_pages_ = pages;
}

void RmapOps::set_page_limit(std::uint64_t pages) {
  has_own_limit_ = true;
  change_limit(pages);
}

void RmapOps::memory_changed() {
  if (has_own_limit_) return;
  std::uint64_t pages = 0;
  for (const MemslotSet& set : mmu_.slot_sets) {
    for (const auto& slot : set.slots()) pages += slot->range.size();
  }
  change_limit(std::max(pages / kMemoryPerPage, kLeastMmuPages));
}

bool RmapOps::recycle(Gfn gfn, Level level, std::uint64_t before) {
  if (before <= mmu_.config.rmap_recycle_threshold) [[likely]]
    return false;
  const Memslot* slot = mmu_.slots().find(gfn);
  const Gfn first = round_down(gfn, level);
  const GfnRange page{first, {first.value + pages_per(level)}};
  for_each(*slot, level, {gfn, {gfn.value + 1}},
           [&](Leaf& leaf) { take(leaf, Spte{}); });
  mmu_.flush.range(page);
  return true;
}

}  // namespace mmu
