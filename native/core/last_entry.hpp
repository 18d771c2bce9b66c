// The entry on which KVM's own walk of a frame ends.
#pragma once

#include "core/page_table.hpp"

namespace mmu {

struct LastEntry {
  TableRef table;
  unsigned index = 0;
  Spte spte;
};

// The last entry on KVM's path: a leaf, or where the path ends.
inline LastEntry find_last(const PageTable& tree, AliasedGfn gfn) {
  LastEntry found{tree.root(), 0, {}};
  while (true) {
    const Level level = found.table.level;
    found.index = table_index(gfn, level);
    found.spte = tree.get(found.table, found.index);
    if (level == Level::k4K || !found.spte.is_link(level)) return found;
    found.table = link::table(found.spte, below(level));
  }
}

}  // namespace mmu
