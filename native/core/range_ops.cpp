#include "core/range_ops.hpp"

#include "core/cached_rights.hpp"
#include "core/table_walk.hpp"

namespace mmu {
namespace {

// Calls change(walk, spte) on every present leaf that meets the range.
template <class Change>
void for_each_leaf(const PageTable& tree, AliasedRange range, Change change) {
  for (TableWalk walk(tree, range); walk; walk.next()) {
    const Spte spte = walk.spte();
    if (spte.is_leaf(walk.level())) change(walk, spte);
  }
}

AliasedRange span_of(const TableWalk& walk) {
  const AliasedGfn start = walk.gfn();
  return {start, {start.value + pages_per(walk.level())}};
}

// Replaces the leaf under the cursor by one that grants less, or that grants
// less than may be cached of it.
void take(PageTable& tree, TableWalk& walk, Spte old, Spte now, Hull& hull) {
  if (old == now && !may_be_cached_with_more(old)) return;
  tree.set_spte(walk.table(), walk.index(), old, now);
  hull.add(span_of(walk));
}

// Changes what the table under the cursor holds of the range, and leaves it.
template <class Change>
void change_table(PageTable& tree, TableWalk& walk, Change change, Hull& hull) {
  const unsigned at = walk.index();
  const AliasedGfn start = walk.gfn();
  walk.ask_ahead();
  const LeafRun run =
      tree.change_leaves(walk.table(), at, walk.table_end(), change);
  if (run.first <= run.last) {
    hull.add({{start.value + (run.first - at)},
              {start.value + (run.last - at) + 1}});
  }
  walk.leave_table();
}

// Leaves of this level and above; a table of 4K leaves at once where it may be.
template <class Change>
Hull change_each(PageTable& tree, AliasedRange range, Level min_level,
                 Change change) {
  Hull hull;
  for (TableWalk walk(tree, range, min_level); walk;) {
    if (tree.changes_at_once(walk.table())) {
      change_table(tree, walk, change, hull);
      continue;
    }
    const Spte leaf = walk.spte();
    const std::uint64_t word = to_stored(leaf);
    if (leaf.is_leaf(walk.level()) && change.takes(word)) {
      tree.set_spte(walk.table(), walk.index(), leaf,
                    from_stored(change.now(word)));
      hull.add(span_of(walk));
    }
    walk.next();
  }
  return hull;
}

// The first present leaf of a table's own range, or an empty entry.
Spte first_leaf_below(const PageTable& tree, AliasedRange range, Level level) {
  for (TableWalk walk(tree, range); walk; walk.next()) {
    if (walk.level() < level && walk.spte().is_leaf(walk.level())) {
      return walk.spte();
    }
  }
  return {};
}

}  // namespace

Hull zap_leafs(PageTable& tree, AliasedRange range) noexcept {
  return change_each(tree, range, Level::k4K, ZapLeaf());
}

Hull block_leafs(PageTable& tree, AliasedRange range) noexcept {
  Hull hull;
  for_each_leaf(tree, range, [&](TableWalk& walk, Spte leaf) {
    take(tree, walk, leaf, make_blocked(leaf.pfn()), hull);
  });
  return hull;
}

bool age_leafs(PageTable& tree, AliasedRange range, bool clear) noexcept {
  bool young = false;
  for_each_leaf(tree, range, [&](TableWalk& walk, Spte leaf) {
    if (!leaf.has(ept::kAccessed)) return;
    young = true;
    if (clear) {
      tree.set_spte(walk.table(), walk.index(), leaf, mark_unused(leaf));
    }
  });
  return young;
}

Hull take_bits(PageTable& tree, AliasedRange range, std::uint64_t bits,
               std::uint64_t keep, Level min_level) noexcept {
  return change_each(tree, range, min_level, TakeBits(bits, keep));
}

Hull write_protect_for_good(PageTable& tree, AliasedRange range) noexcept {
  Hull hull;
  for_each_leaf(tree, range, [&](TableWalk& walk, Spte leaf) {
    const Spte now = leaf.without(ept::kWrite | ept::kMmuWritable);
    // What ageing took besides is nothing that a write can use.
    if (now != leaf) take(tree, walk, leaf, now, hull);
  });
  return hull;
}

Hull take_bits_masked(PageTable& tree, AliasedGfn first, std::uint64_t mask,
                      std::uint64_t bits, std::uint64_t keep) noexcept {
  Hull hull;
  const auto skip = static_cast<unsigned>(std::countr_zero(mask));
  const auto width = static_cast<unsigned>(std::bit_width(mask));
  const AliasedRange range{{first.value + skip}, {first.value + width}};
  const bool has_gaps = std::popcount(mask) != static_cast<int>(width - skip);
  for (TableWalk walk(tree, range); walk;) {
    if (!has_gaps && tree.changes_at_once(walk.table())) {
      change_table(tree, walk, TakeBits(bits, keep), hull);
      continue;
    }
    const Spte leaf = walk.spte();
    const bool is_meant = walk.level() == Level::k4K &&
                          (mask >> (walk.gfn().value - first.value) & 1) != 0;
    if (is_meant && leaf.is_leaf(Level::k4K) && (leaf.raw & keep) == 0) {
      take(tree, walk, leaf, leaf.without(bits), hull);
    }
    walk.next();
  }
  return hull;
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

Hull recover_huge_pages(PageTable& tree, AliasedRange range,
                        std::uint64_t offset, std::uint64_t keep,
                        const MayRecover& may) {
  Hull hull;
  for (TableWalk walk(tree, range, Level::k2M); walk; walk.next()) {
    const Level level = walk.level();
    const Gfn gfn{walk.gfn().value - offset};
    if (!walk.spte().is_link(level) || !may(gfn, level)) continue;
    const AliasedRange span = span_of(walk);
    const Spte leaf = first_leaf_below(tree, span, level);
    if (!leaf.is_present() || (leaf.raw & keep) != 0) continue;
    tree.set_spte(walk.table(), walk.index(),
                  enlarge(leaf, level, tree.rules()));
    hull.add(span);
  }
  return hull;
}

}  // namespace mmu
