#include "core/fault.hpp"

#include "core/huge_page.hpp"

namespace mmu {
namespace {

struct Found {
  TableRef table;
  unsigned index = 0;
  Spte spte;
};

// The last entry on KVM's path: a leaf, or where the path ends.
Found find_last(const PageTable& tree, AliasedGfn gfn) {
  Found found{tree.root(), 0, {}};
  while (true) {
    const Level level = found.table.level;
    found.index = table_index(gfn, level);
    found.spte = tree.get(found.table, found.index);
    if (level == Level::k4K || !found.spte.is_link(level)) return found;
    found.table = link::table(found.spte, below(level));
  }
}

bool allows(Spte spte, std::uint8_t access) {
  return (spte.permissions() & access) == access;
}

// An MMIO entry that hardware refused is good while no slot has changed since
// it was made. KVM: handle_mmio_page_fault(), check_mmio_spte().
bool is_current_mmio(const Mmu& mmu, const Fault& fault) {
  const Spte spte = find_last(mmu.tree, fault.walk_gfn).spte;
  return spte.is_mmio() &&
         mmio_generation(spte) ==
             (mmu.slots().generation() & (bit(ept::kGenerationBits) - 1));
}

// Gives back W that was only taken away to notice this write. With A/D bits in
// use that is all the fast path does. KVM: fast_page_fault().
bool fix_fast(Mmu& mmu, Fault& fault) {
  if (fault.reserved || !fault.present || !fault.is_write()) return false;
  Found found = find_last(mmu.tree, fault.walk_gfn);
  const Level level = found.table.level;
  if (!found.spte.is_leaf(level) || !found.spte.has(ept::kMmuWritable)) {
    return false;
  }
  Memslot* slot = mmu.slots().find(fault.gfn);
  if (slot == nullptr) return false;
  if (level > Level::k4K && slot->is_logged()) return false;
  const Spte fixed = found.spte.with(ept::kWrite);
  if (!allows(fixed, fault.access)) return false;
  mmu.tree.set_spte(found.table, found.index, fixed);
  slot->mark_dirty(fault.gfn);
  fault.level = level;
  return true;
}

// Links made and huge leaves split on the way down. KVM: kvm_tdp_mmu_map().
TableRef build_path(PageTable& tree, AliasedGfn gfn, Level goal) {
  TableRef table = tree.root();
  while (table.level > goal) {
    const unsigned index = table_index(gfn, table.level);
    const Spte spte = tree.get(table, index);
    if (spte.is_link(table.level)) {
      table = link::table(spte, below(table.level));
    } else if (spte.is_leaf(table.level)) {
      table = tree.split(table, index);
    } else {
      table = tree.link_child(table, index);
    }
  }
  return table;
}

// The table that holds the entry of `gfn` at `goal`. Nearly always there
// already: a table is made once for 512 leaves.
TableRef reach(PageTable& tree, AliasedGfn gfn, Level goal) {
  const TableRef table = tree.find_table(gfn, goal);
  return table.id != kNoPage ? table : build_path(tree, gfn, goal);
}

// KVM: kvm_handle_noslot_fault(), then an MMIO entry as the leaf.
OutcomeCode map_mmio(Mmu& mmu, Fault& fault) {
  if (fault.gfn > max_gfn(mmu.config)) return OutcomeCode::kEmulate;
  TableRef table = reach(mmu.tree, fault.walk_gfn, Level::k4K);
  mmu.tree.set_spte(table, table_index(fault.walk_gfn, Level::k4K),
                    make_mmio(fault.gfn, mmu.slots().generation()));
  ++mmu.vcpus[fault.vcpu].pf_mmio_spte_created;
  return OutcomeCode::kEmulate;
}

// KVM: tdp_mmu_map_handle_target_level().
OutcomeCode map_leaf(Mmu& mmu, Fault& fault, Memslot& slot) {
  fault.level = goal_level(slot, fault.gfn);
  TableRef table = reach(mmu.tree, fault.walk_gfn, fault.level);
  const unsigned index = table_index(fault.walk_gfn, fault.level);
  const Spte old = mmu.tree.get(table, index);
  if (old.is_leaf(fault.level) && allows(old, fault.access)) {
    return OutcomeCode::kSpurious;
  }
  const Gfn first = round_down(fault.gfn, fault.level);
  const Spte leaf =
      make_leaf(slot.pfn_of(first), fault.level, !slot.is_readonly());
  mmu.tree.set_spte(table, index, leaf);
  if (leaf.is_writable()) slot.mark_dirty(fault.gfn);
  return OutcomeCode::kFixed;
}

// KVM: direct_page_fault() and what it calls, in its order.
OutcomeCode handle_slow(Mmu& mmu, Fault& fault) {
  Memslot* slot = mmu.slots().find(fault.gfn);
  if (slot == nullptr) return map_mmio(mmu, fault);
  if (slot->is_readonly() && fault.is_write()) return OutcomeCode::kEmulate;
  return map_leaf(mmu, fault, *slot);
}

void count(VcpuStats& stats, OutcomeCode code) {
  ++stats.pf_taken;
  if (code == OutcomeCode::kFixed) ++stats.pf_fixed;
  if (code == OutcomeCode::kEmulate) ++stats.pf_emulate;
  if (code == OutcomeCode::kSpurious) ++stats.pf_spurious;
}

}  // namespace

OutcomeCode handle_fault(Mmu& mmu, Fault& fault) noexcept {
  if (fault.reserved && is_current_mmio(mmu, fault)) {
    return OutcomeCode::kEmulate;
  }
  VcpuStats& stats = mmu.vcpus[fault.vcpu];
  if (fix_fast(mmu, fault)) {
    ++stats.pf_fast;
    count(stats, OutcomeCode::kFixed);
    return OutcomeCode::kFixed;
  }
  // Before anything changes, as KVM fills its per-vCPU caches.
  if (!mmu.tree.ensure_one_path()) {
    fault.out_of_memory = true;
    return OutcomeCode::kError;
  }
  if (!mmu.tree.has_root()) mmu.tree.make_root();
  const OutcomeCode code = handle_slow(mmu, fault);
  count(stats, code);
  return code;
}

}  // namespace mmu
