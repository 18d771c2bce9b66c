#include "core/fault.hpp"

#include "core/dirty_mark.hpp"
#include "core/flavour.hpp"
#include "core/leaf_level.hpp"
#include "core/tracepoints/tracer.hpp"

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
  const Spte spte = find_last(mmu.tree(fault.root), fault.walk_gfn).spte;
  if (!spte.is_mmio()) return false;
  const bool current = mmio_generation(spte) == mmu.slots().mmio_generation();
  if (mmu.trace) mmu.trace->mmio_page_fault(spte, current);
  return current;
}

// KVM: the comparison of fault->is_private with the attribute in
// kvm_mmu_faultin_pfn().
bool is_mismatch(const Mmu& mmu, const Fault& fault) {
  return mmu.traits.checks_attributes && mmu.has_private_memory() &&
         mmu.private_frames.contains(fault.canonical) != fault.is_private;
}

// A leaf with everything that was taken from it only to notice this access.
Spte restored(Spte leaf, bool write) {
  Spte now = is_access_tracked(leaf) ? mark_used(leaf) : leaf;
  return write && leaf.has(ept::kMmuWritable) ? now.with(ept::kWrite) : now;
}

// With A/D bits in use only a write can want something back.
bool may_be_fast(const Mmu& mmu, const Fault& fault) {
  if (fault.reserved) return false;
  return fault.present ? fault.is_write() : mmu.entry_rules.ad_disabled();
}

// False: there was nothing to give back, or not enough.
bool fix_found(Mmu& mmu, Fault& fault, Found& found) {
  const Level level = found.table.level;
  if (!found.spte.is_leaf(level)) return false;
  Memslot* slot = visible_slot(mmu, fault);
  if (slot == nullptr) return false;
  const Spte fixed = restored(found.spte, fault.is_write());
  if (fixed == found.spte || !allows(fixed, fault.access)) return false;
  const bool writes = fixed.is_writable() && !found.spte.is_writable();
  if (writes && level > Level::k4K && slot->is_logged()) return false;
  mmu.tree(fault.root).give_back(found.table, found.index, fixed);
  if (writes) mark_dirty(mmu, fault, *slot, fixed);
  fault.level = level;
  return true;
}

// KVM: fast_page_fault().
bool fix_fast(Mmu& mmu, Fault& fault) {
  const PageTable& tree = mmu.tree(fault.root);
  if (!may_be_fast(mmu, fault) || !tree.has_root()) return false;
  Found found = find_last(tree, fault.walk_gfn);
  const Spte old = found.spte;
  const bool fixed = fix_found(mmu, fault, found);
  if (mmu.trace) {
    mmu.trace->fast_page_fault(fault, found.table, found.index, old, fixed);
  }
  return fixed;
}

OutcomeCode missed_private(const Mmu& mmu, OutcomeCode shared) {
  switch (mmu.traits.private_miss) {
    case PrivateMiss::kMemoryFault:
      return OutcomeCode::kMemoryFault;
    case PrivateMiss::kError:
      return OutcomeCode::kError;
    case PrivateMiss::kAsShared:
      return shared;
  }
  return shared;
}

bool asks_vmm(const Mmu& mmu, const Fault& fault) {
  return fault.is_private && mmu.traits.private_miss != PrivateMiss::kAsShared;
}

// KVM: kvm_handle_noslot_fault().
OutcomeCode handle_no_slot(Mmu& mmu, Fault& fault) {
  if (asks_vmm(mmu, fault)) return missed_private(mmu, OutcomeCode::kEmulate);
  if (fault.gfn > max_gfn(mmu.config)) return OutcomeCode::kEmulate;
  return mmu.ops->map(fault, nullptr);
}

// KVM: direct_page_fault() and what it calls, in its order.
OutcomeCode handle_slow(Mmu& mmu, Fault& fault) {
  Memslot* slot = visible_slot(mmu, fault);
  if (slot == nullptr) return handle_no_slot(mmu, fault);
  if (slot->is_readonly() && fault.is_write()) {
    return fault.is_private ? missed_private(mmu, OutcomeCode::kEmulate)
                            : OutcomeCode::kEmulate;
  }
  if (slot->is_internal() && fault.is_private &&
      mmu.traits.private_internal_is_error) {
    return OutcomeCode::kError;
  }
  if (mmu.traits.on_other_alias != OnOtherAlias::kNothing) {
    mmu.ops->zap_other_alias(fault);
  }
  return mmu.ops->map(fault, slot);
}

void count(VcpuStats& stats, OutcomeCode code) {
  ++stats.pf_taken;
  if (code == OutcomeCode::kFixed) ++stats.pf_fixed;
  if (code == OutcomeCode::kEmulate) ++stats.pf_emulate;
  if (code == OutcomeCode::kSpurious) ++stats.pf_spurious;
  if (code == OutcomeCode::kWriteProtected) ++stats.write_protected;
}

OutcomeCode answer(Mmu& mmu, Fault& fault) {
  // Not this alias' to do: the guest gets a #PF.
  if ((fault.access & ~fault.permissions) != 0) {
    ++mmu.vcpus[fault.vcpu].pf_guest;
    return OutcomeCode::kRetry;
  }
  if (is_mismatch(mmu, fault)) return OutcomeCode::kMemoryFault;
  if (fix_fast(mmu, fault)) {
    ++mmu.vcpus[fault.vcpu].pf_fast;
    return OutcomeCode::kFixed;
  }
  // Before anything changes, as KVM fills its per-vCPU caches.
  if (!mmu.ops->ensure_room(fault)) {
    fault.out_of_memory = true;
    return OutcomeCode::kError;
  }
  if (!mmu.tree(fault.root).has_root()) mmu.ops->make_root(fault.root);
  return handle_slow(mmu, fault);
}

}  // namespace

OutcomeCode handle_fault(Mmu& mmu, Fault& fault) {
  if (fault.reserved && is_current_mmio(mmu, fault)) {
    ++mmu.vcpus[fault.vcpu].mmio_hits;
    return OutcomeCode::kEmulate;
  }
  const OutcomeCode code = answer(mmu, fault);
  if (!fault.out_of_memory) count(mmu.vcpus[fault.vcpu], code);
  return code;
}

Memslot* visible_slot(const Mmu& mmu, const Fault& fault) {
  Memslot* slot = mmu.slots().find(fault.gfn);
  const bool hidden = slot != nullptr && slot->is_internal() &&
                      !mmu.alias.sees_internal_slot(fault.issued);
  return hidden ? nullptr : slot;
}

Pfn pfn_for(const Mmu& mmu, const Fault& fault, const Memslot& slot,
            Level level) {
  const bool own_space = fault.is_private && mmu.private_bit != 0;
  const std::uint64_t private_base = mmu.private_bit >> kPageShift;
  return own_space ? Pfn{private_base + fault.canonical.value}
                   : slot.pfn_of(round_down(fault.gfn, level));
}

Spte leaf_for(const Mmu& mmu, const Fault& fault, const Memslot& slot,
              Level level) {
  return build_leaf({.pfn = pfn_for(mmu, fault, slot, level),
                     .level = level,
                     .access = fault.permissions,
                     .host_writable = !slot.is_readonly()},
                    mmu.entry_rules);
}

Level goal_of(const Mmu& mmu, const Fault& fault, const Memslot& slot) {
  if (fault.is_private) return Level::k4K;
  return allowed_level(mmu, fault.gfn, goal_level(slot, fault.gfn));
}

void mark_dirty(const Mmu& mmu, const Fault& fault, Memslot& slot, Spte leaf) {
  const bool is_private =
      fault.root == RootId::kPrivate || mmu.is_private_leaf(leaf);
  if (leaf.is_writable() && !is_private) {
    mark_page_dirty(mmu, slot, fault.gfn, fault.vcpu);
  }
}

}  // namespace mmu
