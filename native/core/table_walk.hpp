// A pre-order cursor over the entries of one tree that are not empty.
//
// It visits, root first, every used entry whose span meets the range, down to
// `min_level`. An entry may start below the range: its span contains the
// start. The entry under the cursor may be changed through the tree; next()
// reads it again, so a split is descended into and a leaf is not.
//
// KVM: tdp_iter_next() and its moves (v6.16); KVM visits empty entries too.
#pragma once

#include <algorithm>
#include <array>

#include "core/page_table.hpp"

namespace mmu {

class TableWalk {
 public:
  TableWalk(const PageTable& tree, AliasedRange range,
            Level min_level = Level::k4K)
      : tree_(&tree), range_(clip(tree, range)), min_level_(min_level) {
    if (!tree.has_root() || range_.empty()) return;
    level_ = tree.root_level();
    if (!enter(tree.root(), {0})) level_ = Level::kNone;
  }

  explicit operator bool() const { return level_ != Level::kNone; }
  Level level() const { return level_; }
  // For set_spte() and its kin, which may replace the table by a larger one.
  TableRef& table() { return here().table; }
  unsigned index() const { return here().index; }
  Spte spte() const { return tree_->get(here().table, here().index); }
  // First frame that the entry covers.
  AliasedGfn gfn() const {
    return {here().base.value + here().index * pages_per(level_)};
  }

  // The entries of this table from the cursor on that meet the range end here.
  unsigned table_end() const { return here().end; }
  // Asks for the table that comes after this one, if it is beside it.
  [[gnu::always_inline]] void ask_ahead() const {
    const Place& place = path_[number_of(above(level_))];
    if (place.index + 1 < place.end) {
      tree_->ask_for(place.table, place.index + 1);
    }
  }
  // To what comes after this table.
  void leave_table() {
    here().index = here().end - 1;
    next();
  }

  void next() {
    if (down()) return;
    while (!side()) {
      if (!up()) return;
    }
  }

 private:
  struct Place {
    TableRef table;
    // First frame that leads into the table on this path; a table that two
    // entries link to has two.
    AliasedGfn base{};
    unsigned index = 0;
    unsigned end = 0;
  };

  Place& here() { return path_[number_of(level_)]; }
  const Place& here() const { return path_[number_of(level_)]; }

  // A slot may lie above what a four-level tree covers; its frames have no
  // entry there, least of all that of another frame with the same low bits.
  static AliasedRange clip(const PageTable& tree, AliasedRange range) {
    const AliasedGfn end{pages_per(tree.root_level()) << kIndexBits};
    return {range.start, std::min(range.end, end)};
  }

  // Settles on the first used entry that meets the range.
  bool enter(TableRef table, AliasedGfn base) {
    const unsigned first =
        base < range_.start ? table_index(range_.start, table.level) : 0;
    here() = {table, base, first, end_in(table.level, base)};
    return settle(first);
  }

  // The first index of a table that lies past the range.
  unsigned end_in(Level level, AliasedGfn base) const {
    const std::uint64_t frames = range_.end.value - base.value;
    const std::uint64_t entries =
        (frames + pages_per(level) - 1) >> index_shift(level);
    return static_cast<unsigned>(std::min<std::uint64_t>(entries, kEntries));
  }

  bool settle(unsigned from) {
    Place& at = here();
    at.index = tree_->next_used(at.table, from, at.end);
    return at.index < at.end;
  }

  bool down() {
    const Spte spte = this->spte();
    if (level_ == min_level_ || !spte.is_link(level_)) return false;
    const AliasedGfn base = gfn();
    level_ = below(level_);
    if (enter(link::table(spte, level_), base)) return true;
    level_ = above(level_);
    return false;
  }

  bool side() { return here().index < here().end && settle(here().index + 1); }

  bool up() {
    level_ = level_ == tree_->root_level() ? Level::kNone : above(level_);
    return level_ != Level::kNone;
  }

  const PageTable* tree_;
  AliasedRange range_;
  Level min_level_;
  Level level_ = Level::kNone;
  std::array<Place, 6> path_{};
};

}  // namespace mmu
