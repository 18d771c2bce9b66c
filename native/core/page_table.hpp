// One paging tree: its root, the links below it, and the only function that
// changes an entry on KVM's behalf.
//
// Law: every change of an entry by KVM goes through set_spte(), which keeps
// the accounts (leaves by level, MMIO entries, tables by level, entries
// changed) true. Hardware's own writes, Accessed and Dirty, are not KVM's and
// are not counted (hardware_walk.hpp). test/native/page_table_test.cpp
// counts the tree and compares.
//
// KVM: handle_changed_spte() (v6.16) is the same choke point.
#pragma once

#include <array>
#include <cstdint>

#include "core/leaf.hpp"
#include "core/leaf_directory.hpp"
#include "core/leaf_run.hpp"
#include "core/page_queue.hpp"

namespace mmu {

// Sums over the whole VM, kept by set_spte() and the table functions.
struct TreeAccounts {
  std::array<std::uint64_t, 6> leaves{};  // by level; KVM: pages_4k, _2m, _1g
  std::uint64_t mmio = 0;
  std::array<std::uint64_t, 6> tables{};  // by level
  // Tables made, ever: the last one's serial number.
  std::uint32_t tables_made = 0;
  // Links that went, ever: as long as none does, every other is still there.
  std::uint32_t links_gone = 0;
  // Entries that set_spte() gave another value, ever.
  std::uint64_t changed = 0;
};

namespace link {

// A link's address field: the page id in bits 43:12, and bit 44 for a compact
// page. Shown to users without the latter (Spte from spte_of_step()).
inline constexpr std::uint64_t kCompact = bit(44);

constexpr std::uint64_t address(TableRef table) {
  return (std::uint64_t{table.id} << kPageShift) |
         (table.compact ? kCompact : 0);
}
constexpr PageId page_id(std::uint64_t word) {
  return static_cast<PageId>(word >> kPageShift);
}
constexpr TableRef table(Spte spte, Level level) {
  return {page_id(spte.raw), level, spte.has(kCompact)};
}

}  // namespace link

// Told of every change of an entry before it is made: who keeps the reverse
// maps, where the tables are shadow pages (rmap flavour); who traces, where
// they are a tree. A tree that is not traced has none.
class SpteObserver {
 public:
  virtual void changed(TableRef table, unsigned index, Spte old,
                       Spte now) noexcept = 0;
  // Of trees: an empty table, not yet linked; and a huge leaf that has become
  // a table.
  virtual void made(TableRef) noexcept {}
  virtual void was_split(TableRef /*table*/, unsigned /*index*/,
                         Spte /*huge*/) noexcept {}

 protected:
  ~SpteObserver() = default;
};

class PageTable {
 public:
  PageTable(PagePool& pool, TreeAccounts& accounts, Level root_level,
            EntryRules rules = {})
      : pool_(&pool),
        accounts_(&accounts),
        root_level_(root_level),
        rules_(rules) {}

  bool has_root() const noexcept { return root_.id != kNoPage; }
  TableRef root() const noexcept { return root_; }
  Level root_level() const noexcept { return root_level_; }
  EntryRules rules() const noexcept { return rules_; }
  Spte link_to(TableRef table) const noexcept {
    return make_link(link::address(table), rules_);
  }
  // Grows whenever the walk of some frame may end elsewhere in memory than
  // before, so that whoever remembers where it ended knows to look again.
  std::uint64_t layout_changes() const noexcept { return layout_changes_; }
  // Where page ids count from.
  std::uint8_t* arena() const noexcept { return pool_->base(); }

  // Of a tree; shadow pages have none.
  LeafStretches leaf_tables() const noexcept {
    return leaf_tables_.stretches();
  }

  // The pages that installing one leaf can take at worst: a table for every
  // level below the root, a new root, and a compact page made full.
  bool ensure_one_path() noexcept { return pool_->ensure(6, 1); }

  // After ensure_one_path().
  void make_root() noexcept;
  // Drops the whole tree; KVM: kvm_tdp_mmu_invalidate_roots() and the zap that
  // follows. Returns the leaves and MMIO entries that went with it.
  std::uint64_t drop_root() noexcept;

  // The table at `level` on the path of a frame; id kNoPage if the path ends
  // above it.
  TableRef find_table(AliasedGfn gfn, Level level) const noexcept {
    std::uint64_t word = link::address(root_);
    for (Level at = root_level_; at > level; at = below(at)) {
      // Only level 1 has compact tables.
      word = pool_->full(link::page_id(word)).entries[table_index(gfn, at)];
      if ((word & (ept::kMmuPresent | ept::kHuge)) != ept::kMmuPresent) {
        return {};
      }
    }
    return {link::page_id(word), level, (word & link::kCompact) != 0};
  }

  // Where the link to a frame's level-1 table would be; on the way to it only
  // what is there is read. For prefetches: of a huge leaf it may be anywhere in
  // the arena.
  const std::uint64_t* link_place(AliasedGfn gfn) const noexcept {
    PageId at = root_.id;
    for (Level level = root_level_; level > Level::k2M; level = below(level)) {
      at = link::page_id(pool_->full(at).entries[table_index(gfn, level)]);
    }
    return &pool_->full(at).entries[table_index(gfn, Level::k2M)];
  }

  Spte get(TableRef table, unsigned index) const noexcept {
    return from_stored(stored(table, index));
  }
  // `table` changes when a compact page has to become full.
  void set_spte(TableRef& table, unsigned index, Spte now) noexcept {
    set_spte(table, index, get(table, index), now);
  }
  // For whoever has just read the entry.
  void set_spte(TableRef& table, unsigned index, Spte old, Spte now) noexcept {
    if (old == now) return;
    account(table.level, old, now);
    // Whoever found nothing below this entry, or a leaf in it, must look again.
    if (table.level != Level::k4K) ++layout_changes_;
    if (observer_ != nullptr) observer_->changed(table, index, old, now);
    if (old.is_link(table.level)) [[unlikely]] {
      ++accounts_->links_gone;
      if (!has_shadow_pages_)
        drop_subtree(link::table(old, below(table.level)));
    }
    write(table, index, now);
  }

  // set_spte() of a 4K leaf where there is no entry yet, in the table that the
  // stored word `link` leads to. False if that table has to grow first.
  bool fill_empty(std::uint64_t link, unsigned index, Spte leaf) noexcept {
    const PageId id = link::page_id(link);
    if ((link & link::kCompact) != 0) {
      return fill_compact(pool_->compact(id), index, leaf);
    }
    fill_empty(&pool_->full(id).entries[index], leaf);
    return true;
  }
  // The same, of an entry of a full table.
  void fill_empty(std::uint64_t* entry, Spte leaf) noexcept {
    put_empty(entry, leaf);
    count_new_leaves(1);
  }
  // The same in two steps, of many entries; nobody looks in between.
  static void put_empty(std::uint64_t* entry, Spte leaf) noexcept {
    *entry = to_stored(leaf);
  }
  void count_new_leaves(std::uint64_t count) noexcept {
    accounts_->changed += count;
    accounts_->leaves[number_of(Level::k4K)] += count;
  }
  // The same, where a compact table has no such key. False: it has no room.
  bool fill_compact(CompactPage& table, unsigned index, Spte leaf) noexcept {
    if (!append(table, index, to_stored(leaf))) return false;
    count_new_leaves(1);
    return true;
  }

  // Whether change_leaves() may be asked for: a full table of 4K leaves, whose
  // changes nobody wants to be told of one by one.
  bool changes_at_once(TableRef table) const noexcept {
    return table.level == Level::k4K && !table.compact && observer_ == nullptr;
  }
  // Asks for all lines of the full table that entry `index` links to, if it
  // does. Inlined by force: GCC drops a call that does nothing else.
  [[gnu::always_inline]] void ask_for(TableRef above,
                                      unsigned index) const noexcept {
    const std::uint64_t word = stored(above, index);
    if ((word & (ept::kMmuPresent | ept::kHuge | link::kCompact)) !=
        ept::kMmuPresent) {
      return;
    }
    const auto* line = pool_->full(link::page_id(word)).entries.data();
    for (unsigned i = 0; i < kEntries; i += kGranule / sizeof(*line)) {
      __builtin_prefetch(line + i, 1);
    }
  }
  // set_spte() of every leaf that the change is about in [from, end).
  template <class Change>
  LeafRun change_leaves(TableRef table, unsigned from, unsigned end,
                        Change change) noexcept {
    std::uint64_t* const entries = pool_->full(table.id).entries.data();
    const LeafRun run = mmu::change_leaves(entries, from, end, change, path_);
    accounts_->changed += run.changed;
    if (Change::kZaps) accounts_->leaves[number_of(Level::k4K)] -= run.changed;
    return run;
  }

  // set_spte() of a 4K leaf that gets its W again, and hardware's write after
  // it.
  void give_back_write(std::uint64_t* entry) noexcept {
    *entry |= ept::kWrite | ept::kAccessed | ept::kDirty;
    ++accounts_->changed;
  }

  // set_spte() of a present leaf that gets rights back without KVM's lock:
  // nobody who observes has to know.
  void give_back(TableRef table, unsigned index, Spte now) noexcept {
    ++accounts_->changed;
    if (table.compact) {
      store(pool_->compact(table.id), index, to_stored(now));
    } else {
      store(pool_->full(table.id), index, to_stored(now));
    }
  }

  // An entry that is not present stands frozen until it is thawed, as what it
  // was; to whoever counts or observes nothing has happened. Needs one full
  // page ensured. KVM: tdp_mmu_set_spte_atomic(), of a mirror.
  void freeze(TableRef& table, unsigned index) noexcept {
    write(table, index, Spte{ept::kFrozen});
  }
  void thaw(TableRef& table, unsigned index, Spte old) noexcept {
    write(table, index, old);
  }

  // After the pool ensured it: an empty table below entry `index`, linked.
  // Whatever subtree or leaf was there before is dropped.
  TableRef link_child(TableRef& table, unsigned index) noexcept;
  // rmap flavour: tables come and go by themselves, and are linked by
  // set_spte(). The observer outlives the tree's use.
  void observe(SpteObserver* observer) noexcept {
    observer_ = observer;
    has_shadow_pages_ = true;
  }
  // Of a tree: its observer from now on, or null. While there is one, tables
  // are full from the start, so that none changes its place.
  void trace(SpteObserver* tracer) noexcept { observer_ = tracer; }
  // Pages that go leave this queue, and one that becomes full keeps its place.
  void keep_queue(PageQueue* queue) noexcept { queue_ = queue; }
  void adopt_root(TableRef root) noexcept { root_ = root; }
  TableRef make_unlinked(AliasedGfn key, Level level) noexcept {
    return make_table(key, level, false);
  }
  // Empties a table that nothing links to any more, and gives it back.
  // `gone(index, spte)` sees every entry first.
  template <class Gone>
  void free_unlinked(TableRef table, Gone gone) noexcept;

  // Replaces the huge leaf at `index` by a table of smaller ones with the same
  // permissions; KVM: tdp_mmu_split_huge_page(). Needs one full page ensured.
  TableRef split(TableRef& table, unsigned index) noexcept;

  // First index in [from, end) whose entry is not empty, else `end`.
  unsigned next_used(TableRef table, unsigned from,
                     unsigned end) const noexcept {
    return table.compact ? mmu::next_used(pool_->compact(table.id), from, end)
                         : mmu::next_used(pool_->full(table.id), from, end);
  }
  // First frame that a table covers; of a shadow page, what the hash calls it.
  AliasedGfn base_of(TableRef table) const noexcept {
    return pool_->header(table.id).gfn;
  }

 private:
  std::uint64_t stored(TableRef table, unsigned index) const noexcept {
    return table.compact ? stored_at(pool_->compact(table.id), index)
                         : pool_->full(table.id).entries[index];
  }
  void write(TableRef& table, unsigned index, Spte now) noexcept {
    if (table.compact) return set_compact(table, index, to_stored(now));
    store(pool_->full(table.id), index, to_stored(now));
  }
  TableRef make_table(AliasedGfn gfn, Level level, bool compact) noexcept;
  void make_full(TableRef& table) noexcept;
  bool starts_compact(Level level) noexcept;
  void set_compact(TableRef& table, unsigned index,
                   std::uint64_t word) noexcept;
  void account(Level level, Spte old, Spte now) noexcept {
    ++accounts_->changed;
    accounts_->leaves[number_of(level)] +=
        std::uint64_t{now.is_leaf(level)} - std::uint64_t{old.is_leaf(level)};
    accounts_->mmio +=
        std::uint64_t{now.is_mmio()} - std::uint64_t{old.is_mmio()};
  }
  void give_page_back(TableRef table) noexcept;
  // For the directory; a table of another level is none of its business.
  void note_leaf_table(AliasedGfn gfn, TableRef table) noexcept;
  void forget_leaf_table(TableRef table) noexcept;
  void drop_subtree(TableRef table) noexcept;
  void drop_entries(TableRef table) noexcept;

  PagePool* pool_;
  TreeAccounts* accounts_;
  Level root_level_;
  EntryRules rules_;
  const VectorPath path_ = chosen_vector_path();
  TableRef root_{};
  std::uint64_t layout_changes_ = 0;
  SpteObserver* observer_ = nullptr;
  bool has_shadow_pages_ = false;
  PageQueue* queue_ = nullptr;
  LeafDirectory leaf_tables_;
  // Leaf tables that went with more leaves than a compact one holds: as many
  // start full. So a guest that is mapped anew, after a fast zap, grows no
  // table twice, and those that start full in vain take no more than went.
  std::uint64_t dense_gone_ = 0;
};

template <class Gone>
void PageTable::free_unlinked(TableRef table, Gone gone) noexcept {
  for (unsigned i = next_used(table, 0, kEntries); i < kEntries;
       i = next_used(table, i + 1, kEntries)) {
    const Spte old = get(table, i);
    gone(i, old);
    account(table.level, old, Spte{});
    --accounts_->changed;
  }
  ++layout_changes_;
  ++accounts_->links_gone;
  --accounts_->tables[number_of(table.level)];
  give_page_back(table);
}

}  // namespace mmu
