// What hardware reaches, asked without leaving a trace.
#pragma once

#include <algorithm>

#include "core/hardware_walk.hpp"
#include "core/mmu.hpp"
#include "core/table_walk.hpp"

namespace mmu {

// Where hardware ends up for a frame as issued.
struct Reached {
  Spte spte;
  Level level = Level::kNone;
  const void* entry = nullptr;  // identity of the entry

  bool is_leaf() const { return spte.is_leaf(level); }
  // The host frame behind `issued`.
  Pfn pfn_of(AliasedGfn issued) const {
    return {spte.pfn().value + (issued.value & (pages_per(level) - 1))};
  }
};

inline Reached reach(const Mmu& mmu, AliasedGfn issued) {
  const PageTable& tree = mmu.tree(mmu.alias.root_of(issued));
  const HardwareWalk walk(tree);
  const Translation at = walk.walk_ahead(issued);
  const std::uint64_t* entry = walk.last(at, issued);
  return {from_stored(*entry), at.level, entry};
}

// Calls act(part, reached) on parts of the range that all of one entry leads
// to, in order; `reached` may be no leaf. Takes a walk for each.
template <class Act>
void for_each_part(const Mmu& mmu, AliasedRange range, Act act) {
  for (AliasedGfn at = range.start; at < range.end;) {
    const Reached now = reach(mmu, at);
    const HardwareWalk walk(mmu.tree(mmu.alias.root_of(at)));
    const Level ends =
        now.is_leaf() ? now.level
                      : level_of(mmu.config.root_level - walk.depth(at) + 1);
    const AliasedGfn next{round_down(at, ends).value + pages_per(ends)};
    const AliasedGfn end = std::min(next, range.end);
    act(AliasedRange{at, end}, now);
    at = end;
  }
}

// Calls act(frames, spte, level) on every leaf that meets the range of one
// tree, in the frames that lead there. A leaf in a shared table is met once
// for each way to it.
template <class Act>
void for_each_reached(const PageTable& tree, AliasedRange range, Act act) {
  for (TableWalk walk(tree, range); walk; walk.next()) {
    const Level level = walk.level();
    const Spte spte = walk.spte();
    if (!spte.is_leaf(level)) continue;
    const AliasedGfn first = walk.gfn();
    act(AliasedRange{first, {first.value + pages_per(level)}}, spte, level);
  }
}

}  // namespace mmu
