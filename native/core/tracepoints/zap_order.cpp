// In which order KVM says that tables and what is in them go.
//
// A table that goes is named by its link's change, then by itself, then by its
// entries, deeper tables in the place where they are linked. A whole root goes
// in passes, from small entries to large ones, and a later pass finds what an
// earlier one left.
#include "core/tracepoints/tracer.hpp"

namespace mmu {
namespace {

constexpr unsigned set_of(Level level) { return 1u << number_of(level); }

// What a pass finds of an entry whose level went before.
Spte left_of(Spte spte, Level level, unsigned gone) {
  const bool went = spte.is_present() && (gone & set_of(level)) != 0;
  return went ? Spte{} : spte;
}

}  // namespace

bool Tracer::prints_when_removed(Spte old) const {
  if (layout_.removed == RemovedEntries::kZeroedIfUsed) return !old.is_empty();
  return !faults_are_out_ || old.is_present();
}

void Tracer::removed_table(TableRef table, unsigned gone) const {
  prepare_zap_page(table);
  for (unsigned i = 0; i < kEntries; ++i) {
    const Spte old = left_of(read(table, i), table.level, gone);
    if (!prints_when_removed(old)) continue;
    const Gfn gfn = mmu_.alias.slot_gfn(frame_of(table, i));
    sink_->spte_changed({0, gfn.value, table.level, old, {ept::kFrozen}});
    if (old.is_link(table.level)) {
      removed_table(link::table(old, below(table.level)), gone);
    }
  }
}

// The walk itself meets these entries, and names them as the tree has them.
void Tracer::zap_level(TableRef table, Level level, unsigned gone) const {
  const PageTable& tree = mmu_.tree(RootId::kDirect);
  for (unsigned i = tree.next_used(table, 0, kEntries); i < kEntries;
       i = tree.next_used(table, i + 1, kEntries)) {
    const Spte old = left_of(read(table, i), table.level, gone);
    if (table.level > level) {
      if (!old.is_link(table.level)) continue;
      zap_level(link::table(old, below(table.level)), level, gone);
    } else if (old.is_present()) {
      const AliasedGfn gfn = frame_of(table, i);
      sink_->spte_changed({0, gfn.value, level, old, Spte{}});
      if (!old.is_link(level)) continue;
      removed_table(link::table(old, below(level)), gone);
    }
  }
}

void Tracer::zap_root() const {
  const PageTable& tree = mmu_.tree(RootId::kDirect);
  if (!tree.has_root()) return;
  unsigned gone = 0;
  for (const Level level : layout_.passes) {
    if (level == Level::kNone) break;
    zap_level(tree.root(), level, gone);
    gone |= set_of(level);
  }
  zap_level(tree.root(), tree.root_level(), gone);
}

}  // namespace mmu
