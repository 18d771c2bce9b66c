// The iTLB multihit workaround: nothing is fetched from a huge page, so a
// fetch gets small pages, and the tables made for it are on a list, oldest
// first, from which a worker gives huge pages back.
//
// KVM: account_nx_huge_page(), disallowed_hugepage_adjust(),
// kvm_recover_nx_huge_pages() (v6.16).
#pragma once

#include "core/fault.hpp"

namespace mmu {

// The level at which a fault maps; `fault.req_level` is the one that it could
// have had.
Level nx_goal(const Mmu& mmu, Fault& fault);

// Whether an entry at `level` links to a table that keeps huge pages out.
bool keeps_small(const Mmu& mmu, Spte spte, Level level);

// What kvm_mmu_spte_requested shows: the goal before the walk has met a table
// that is to stay small.
inline Level requested_level(const Fault& fault) {
  return fault.huge_page_disallowed ? Level::k4K : fault.req_level;
}

// A table was made, and linked, on the fault's way down. Without the
// workaround this does nothing.
void note_nx_table(Mmu& mmu, const Fault& fault, TableRef child);

// One period of the worker. Flushes everything if it took a table.
void recover_nx_huge_pages(Mmu& mmu);

}  // namespace mmu
