// The commonest fault by far, without the generality: a 4K page that nobody
// has touched, in a table that is there.
//
// Why it equals handle_fault(): the entry is empty, so the access is neither
// spurious nor a matter for the fast path, and nothing is replaced; the table
// is there and has room, so no link is made and no memory taken; the slot is
// the one found last, so the search would find it too; it allows the access
// and maps 4K pages. What is left of handle_fault() under these conditions is
// written out below. Any other case answers false and has changed nothing.
// test/native/first_touch_test.cpp holds one against the other.
#pragma once

#include "core/event.hpp"
#include "core/hardware_walk.hpp"
#include "core/mmu.hpp"

namespace mmu {

// `at` is hardware's walk of the very frame that KVM would walk, and ended on
// an empty entry. Only where every alias grants the same (is_plain()).
inline bool map_first_touch(Mmu& mmu, const Translation& at, AliasedGfn issued,
                            Gfn gfn, std::uint8_t access, std::uint16_t vcpu) {
  if (at.table == 0) return false;
  Memslot* slot = mmu.slots().find_in_last(gfn);
  if (slot == nullptr) return false;
  if (slot->is_readonly() && (access & kAccessWrite) != 0) return false;
  if (!slot->is_logged() && slot->backing != Level::k4K) return false;
  const Spte leaf =
      make_leaf(slot->pfn_of(gfn), Level::k4K, !slot->is_readonly());
  PageTable& tree = mmu.tree(RootId::kDirect);
  const unsigned index = table_index(issued, Level::k4K);
  if (!tree.fill_empty(at.table, index, leaf)) return false;
  if (leaf.is_writable()) slot->mark_dirty(gfn);
  VcpuStats& stats = mmu.vcpus[vcpu];
  ++stats.pf_taken;
  ++stats.pf_fixed;
  return true;
}

}  // namespace mmu
