#include "core/range_ops.hpp"

#include "core/huge_page.hpp"
#include "core/table_walk.hpp"

namespace mmu {
namespace {

// Calls change(walk) on every present leaf that meets the range.
template <class Change>
void for_each_leaf(const PageTable& tree, AliasedRange range, Change change) {
  for (TableWalk walk(tree, range); walk; walk.next()) {
    if (walk.spte().is_leaf(walk.level())) change(walk);
  }
}

// The first present leaf of the table's own range, or an empty entry.
Spte first_leaf_below(const PageTable& tree, AliasedRange range, Level level) {
  for (TableWalk walk(tree, range); walk; walk.next()) {
    if (walk.level() < level && walk.spte().is_leaf(walk.level())) {
      return walk.spte();
    }
  }
  return {};
}

bool is_recoverable(const Memslot& slot, Gfn gfn, Level level) {
  return level <= kMaxHugeLevel && allows_huge(slot, gfn, level) &&
         max_mapping_level(slot, gfn) >= level;
}

}  // namespace

void zap_leafs(PageTable& tree, AliasedRange range) noexcept {
  for_each_leaf(tree, range, [&](TableWalk& walk) {
    tree.set_spte(walk.table(), walk.index(), Spte{});
  });
}

void write_protect(PageTable& tree, AliasedRange range) noexcept {
  for_each_leaf(tree, range, [&](TableWalk& walk) {
    tree.set_spte(walk.table(), walk.index(), walk.spte().without(ept::kWrite));
  });
}

void write_protect_masked(PageTable& tree, AliasedGfn first,
                          std::uint64_t mask) noexcept {
  const auto skip = static_cast<unsigned>(std::countr_zero(mask));
  const auto width = static_cast<unsigned>(std::bit_width(mask));
  const AliasedRange range{{first.value + skip}, {first.value + width}};
  for_each_leaf(tree, range, [&](TableWalk& walk) {
    if (walk.level() != Level::k4K) return;
    if ((mask >> (walk.gfn().value - first.value) & 1) == 0) return;
    tree.set_spte(walk.table(), walk.index(), walk.spte().without(ept::kWrite));
  });
}

void split_huge_pages(PageTable& tree, AliasedRange range) noexcept {
  for (TableWalk walk(tree, range); walk; walk.next()) {
    if (walk.level() == Level::k4K || !walk.spte().is_leaf(walk.level())) {
      continue;
    }
    if (!tree.ensure_one_path()) return;
    tree.split(walk.table(), walk.index());
  }
}

void recover_huge_pages(PageTable& tree, AliasedRange range,
                        const Memslot& slot, std::uint64_t offset) noexcept {
  for (TableWalk walk(tree, range, Level::k2M); walk; walk.next()) {
    const Level level = walk.level();
    const Gfn gfn{walk.gfn().value - offset};
    if (!walk.spte().is_link(level) || !is_recoverable(slot, gfn, level)) {
      continue;
    }
    const AliasedRange span{walk.gfn(), {walk.gfn().value + pages_per(level)}};
    const Spte leaf = first_leaf_below(tree, span, level);
    if (!leaf.is_present()) continue;
    tree.set_spte(walk.table(), walk.index(), enlarge(leaf, level));
  }
}

}  // namespace mmu
