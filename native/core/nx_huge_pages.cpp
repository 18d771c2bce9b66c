#include "core/nx_huge_pages.hpp"

#include "core/flavour.hpp"

namespace mmu {
namespace {

// Of the list, the part that one period takes: 1 /
// nx_huge_pages_recovery_ratio.
constexpr std::uint64_t kRecoveryRatio = 60;

// The same of the fault's entry at `level`.
bool is_kept_small(const Mmu& mmu, const Fault& fault, Level level) {
  const PageTable& tree = mmu.tree(fault.root);
  if (!tree.has_root()) return false;
  const TableRef table = tree.find_table(fault.walk_gfn, level);
  if (table.id == kNoPage) return false;
  return keeps_small(mmu, tree.get(table, table_index(fault.walk_gfn, level)),
                     level);
}

// Such a table would be needed again at once.
bool is_logged(const Mmu& mmu, PageId page) {
  const Gfn gfn = mmu.alias.slot_gfn(mmu.pool.header(page).gfn);
  const Memslot* slot = mmu.slots().find(gfn);
  return slot != nullptr && slot->is_logged();
}

}  // namespace

bool keeps_small(const Mmu& mmu, Spte spte, Level level) {
  return spte.is_link(level) &&
         mmu.pool.header(link::page_id(spte.raw)).nx_huge_page_disallowed;
}

Level nx_goal(const Mmu& mmu, Fault& fault) {
  Level goal = fault.req_level;
  if (!mmu.entry_rules.nx_huge_pages) return goal;
  fault.huge_page_disallowed = (fault.access & kAccessFetch) != 0;
  if (fault.huge_page_disallowed) return Level::k4K;
  while (goal > Level::k4K && is_kept_small(mmu, fault, goal)) {
    goal = below(goal);
  }
  return goal;
}

void note_nx_table(Mmu& mmu, const Fault& fault, TableRef child) {
  if (!fault.huge_page_disallowed) return;
  PageHeader& header = mmu.pool.header(child.id);
  header.nx_huge_page_disallowed = true;
  header.root = static_cast<std::uint8_t>(fault.root);
  if (fault.req_level > child.level) mmu.nx_pages->add(child.id);
}

void recover_nx_huge_pages(Mmu& mmu) {
  if (mmu.nx_pages == nullptr) return;
  PageQueue& pages = *mmu.nx_pages;
  bool any = false;
  std::uint64_t left = (pages.size() + kRecoveryRatio - 1) / kRecoveryRatio;
  for (; left != 0 && pages.first() != kNoPage; --left) {
    const PageId page = pages.first();
    if (is_logged(mmu, page)) {
      pages.remove(page);
      mmu.pool.header(page).nx_huge_page_disallowed = false;
    } else {
      mmu.ops->zap_table(page);
      any = true;
    }
  }
  if (any) mmu.flush.all();
}

}  // namespace mmu
