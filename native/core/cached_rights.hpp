// What may be cached of a leaf beyond what it grants, with no flush owed for
// it: what ageing took.
//
// Where nobody keeps Accessed and Dirty, ageing takes R, W and X, and the next
// use gives back R and X. W stays away until a write asks for it, so whoever
// takes W finds nothing to take, and there may be translations that have it.
//
// KVM: mark_spte_for_access_track(), restore_acc_track_spte(),
// kvm_mmu_notifier_clear_young() (v6.16).
#pragma once

#include "core/leaf.hpp"

namespace mmu {

constexpr bool may_be_cached_with_more(Spte leaf) {
  const bool lacks_w = leaf.has(ept::kMmuWritable) && !leaf.is_writable();
  return (leaf.raw & ept::kAdType) == ept::kAdDisabled &&
         (lacks_w || is_access_tracked(leaf));
}

static_assert(!may_be_cached_with_more(worked::kPlain.without(ept::kWrite)));
static_assert(!may_be_cached_with_more(worked::kUnmarked));
static_assert(may_be_cached_with_more(mark_unused(worked::kUnmarked)));
static_assert(
    may_be_cached_with_more(mark_used(mark_unused(worked::kUnmarked))));

}  // namespace mmu
