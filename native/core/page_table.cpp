#include "core/page_table.hpp"

namespace mmu {

void PageTable::make_root() noexcept {
  root_ = make_table({0}, root_level_, false);
}

std::uint64_t PageTable::drop_root() noexcept {
  if (!has_root()) return 0;
  const TreeAccounts before = *accounts_;
  drop_subtree(root_);
  root_ = {};
  std::uint64_t gone = before.mmio - accounts_->mmio;
  for (unsigned level = 1; level < before.leaves.size(); ++level) {
    gone += before.leaves[level] - accounts_->leaves[level];
  }
  return gone;
}

void PageTable::set_compact(TableRef& table, unsigned index,
                            std::uint64_t word) noexcept {
  if (word == 0) ++layout_changes_;  // another entry moves into the gap
  if (store(pool_->compact(table.id), index, word)) return;
  make_full(table);
  store(pool_->full(table.id), index, word);
}

bool PageTable::starts_compact(Level level) noexcept {
  if (level != Level::k4K || observer_ != nullptr) return false;
  if (dense_gone_ == 0) return true;
  --dense_gone_;
  return false;
}

TableRef PageTable::link_child(TableRef& table, unsigned index) noexcept {
  const Level level = below(table.level);
  const AliasedGfn gfn{base_of(table).value + index * pages_per(table.level)};
  const TableRef child = make_table(gfn, level, starts_compact(level));
  if (observer_ != nullptr) observer_->made(child);
  PageHeader& header = pool_->header(child.id);
  header.parent = table.id;
  header.parent_index = static_cast<std::uint16_t>(index);
  set_spte(table, index, link_to(child));
  return child;
}

TableRef PageTable::split(TableRef& table, unsigned index) noexcept {
  const Spte huge = get(table, index);
  TableRef child = link_child(table, index);
  if (child.compact) make_full(child);
  FullPage& page = pool_->full(child.id);
  for (unsigned i = 0; i < kEntries; ++i) {
    page.entries[i] = to_stored(split_child(huge, child.level, i, rules_));
  }
  accounts_->leaves[number_of(child.level)] += kEntries;
  if (observer_ != nullptr) observer_->was_split(table, index, huge);
  return child;
}

TableRef PageTable::make_table(AliasedGfn gfn, Level level,
                               bool compact) noexcept {
  ++layout_changes_;
  const PageId id = compact ? pool_->take_compact() : pool_->take_full();
  PageHeader& header = pool_->header(id);
  header.gfn = gfn;
  header.parent = kNoPage;
  header.role = tdp_role(level);
  header.level = level;
  header.nx_huge_page_disallowed = false;
  header.serial = ++accounts_->tables_made;
  ++accounts_->tables[number_of(level)];
  note_leaf_table(gfn, {id, level, compact});
  return {id, level, compact};
}

// A compact page is always somebody's child, so there is a link to correct.
// The link changes where the table is, not what it says: no SPTE that KVM
// knows has changed, and nothing is counted.
void PageTable::make_full(TableRef& table) noexcept {
  ++layout_changes_;
  CompactPage& small = pool_->compact(table.id);
  const TableRef full{pool_->take_full(), table.level, false};
  FullPage& page = pool_->full(full.id);
  page.header = small.header;
  page.header.count = 0;
  copy_entries(small, page);
  if (queue_ != nullptr) queue_->replace(table.id, full.id);
  pool_->full(small.header.parent).entries[small.header.parent_index] =
      to_stored(link_to(full));
  clear(small);
  pool_->give_compact(table.id);
  note_leaf_table(page.header.gfn, full);
  table = full;
}

void PageTable::note_leaf_table(AliasedGfn gfn, TableRef table) noexcept {
  if (table.level != Level::k4K || has_shadow_pages_) return;
  leaf_tables_.put(gfn.value, table.id, table.compact);
}

void PageTable::forget_leaf_table(TableRef table) noexcept {
  if (table.level != Level::k4K || has_shadow_pages_) return;
  leaf_tables_.forget(base_of(table).value, table.id);
}

void PageTable::drop_subtree(TableRef table) noexcept {
  ++layout_changes_;
  const std::uint64_t before = accounts_->leaves[number_of(Level::k4K)];
  drop_entries(table);
  const std::uint64_t left = accounts_->leaves[number_of(Level::k4K)];
  if (table.level == Level::k4K && before - left > kCompactSlots) ++dense_gone_;
  --accounts_->tables[number_of(table.level)];
  give_page_back(table);
}

void PageTable::give_page_back(TableRef table) noexcept {
  if (queue_ != nullptr) queue_->remove(table.id);
  forget_leaf_table(table);
  if (table.compact) {
    clear(pool_->compact(table.id));
    pool_->give_compact(table.id);
  } else {
    clear(pool_->full(table.id));
    pool_->give_full(table.id);
  }
}

void PageTable::drop_entries(TableRef table) noexcept {
  for (unsigned i = next_used(table, 0, kEntries); i < kEntries;
       i = next_used(table, i + 1, kEntries)) {
    const Spte spte = get(table, i);
    if (spte.is_link(table.level)) {
      drop_subtree(link::table(spte, below(table.level)));
    } else if (spte.is_mmio()) {
      --accounts_->mmio;
    } else {
      // Or blocked, but such leaves are in the private tree, which nobody
      // drops.
      --accounts_->leaves[number_of(table.level)];
    }
  }
}

}  // namespace mmu
