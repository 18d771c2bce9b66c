// Tables of the last level that the guest may write, and that are out of step
// until it flushes.
//
// KVM: mmu_try_to_unsync_pages(), kvm_unsync_page() (v6.16).
#pragma once

#include <utility>

#include "core/shadow/shadow_pages.hpp"

namespace mmu {

// Whether a mapping of this frame may let the guest write. Every page that
// shadows a table there becomes unsync, each counted, unless one refuses: one
// with tables below it always does, and one that is in step does to a mapping
// that nobody has asked for yet.
inline bool make_unsync(ShadowPages& pages, Gfn gfn, bool is_prefetch,
                        std::uint64_t& mmu_unsync) {
  bool may = true;
  pages.for_each_table(gfn, [&](ShadowId id) {
    may &= pages[id].level() == 1 && (pages[id].is_unsync || !is_prefetch);
  });
  if (!may) return false;
  pages.for_each_table(gfn, [&](ShadowId id) {
    if (!std::exchange(pages[id].is_unsync, true)) ++mmu_unsync;
  });
  return true;
}

}  // namespace mmu
