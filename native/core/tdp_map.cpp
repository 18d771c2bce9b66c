// How the TDP MMU answers a fault. KVM: kvm_tdp_mmu_map(),
// tdp_mmu_map_handle_target_level(), tdp_mmu_set_spte_atomic() (v6.16).
#include "core/fault_steps.hpp"
#include "core/nx_huge_pages.hpp"
#include "core/spte_change.hpp"
#include "core/tdp_ops.hpp"
#include "core/tracepoints/tracer.hpp"

namespace mmu {

OutcomeCode TdpOps::map(Fault& fault, Memslot* slot) {
  return slot == nullptr ? map_mmio(fault) : map_leaf(fault, *slot);
}

OutcomeCode TdpOps::map_mmio(Fault& fault) {
  PageTable& tree = mmu_.tree(fault.root);
  TableRef table;
  if (mmu_.trace) {
    mmu_.trace->spte_requested(fault, tracepoint::kNoSlotPfn, Level::k4K);
  }
  // The tables of a hole that is fetched from stay small too, once memory is
  // there.
  reach(fault, nx_goal(mmu_, fault), table);
  const unsigned index = table_index(fault.walk_gfn, Level::k4K);
  tree.set_spte(table, index,
                make_mmio(fault.gfn, mmu_.slots().mmio_generation()));
  if (mmu_.trace) mmu_.trace->mark_mmio_spte(fault, table, index);
  ++mmu_.vcpus[fault.vcpu].pf_mmio_spte_created;
  return OutcomeCode::kEmulate;
}

OutcomeCode TdpOps::map_leaf(Fault& fault, Memslot& slot) {
  PageTable& tree = mmu_.tree(fault.root);
  fault.req_level = goal_of(mmu_, fault, slot);
  const Level level = nx_goal(mmu_, fault);
  TableRef table;
  if (mmu_.trace) {
    mmu_.trace->spte_requested(fault, pfn_for(mmu_, fault, Level::k4K),
                               requested_level(fault));
  }
  const OutcomeCode path = reach(fault, level, table);
  if (path != OutcomeCode::kFixed) return path;
  const unsigned index = table_index(fault.walk_gfn, level);
  const Spte old = tree.get(table, index);
  if (old.is_frozen()) return OutcomeCode::kRetry;
  fault.level = level;
  const bool allows = (old.permissions() & fault.access) == fault.access;
  if (old.is_leaf(level) && (fault.prefetch || allows)) {
    return OutcomeCode::kSpurious;
  }
  const Spte leaf = leaf_for(mmu_, fault, slot, level);
  // KVM stops the host here; the entry stays as it is.
  const OutcomeCode answer = check_spte_change(old, leaf, level)
                                 ? OutcomeCode::kError
                                 : ask_external(fault, table, index);
  if (answer != OutcomeCode::kFixed) {
    fault.level = Level::kNone;
    return answer;
  }
  tree.set_spte(table, index, leaf);
  if (mmu_.trace) mmu_.trace->set_spte(fault, table, index);
  mark_dirty(mmu_, fault, slot, leaf);
  if (old.is_link(level)) replace_table(fault);
  if (is_refused(fault, leaf)) return OutcomeCode::kWriteProtected;
  const bool unblocked = old.is_blocked() && old.pfn() == leaf.pfn();
  return unblocked ? OutcomeCode::kUnzapped : OutcomeCode::kFixed;
}

// A huge leaf took the place of a table: whatever was cached of it goes.
void TdpOps::replace_table(const Fault& fault) {
  const std::uint64_t pages = pages_per(fault.level);
  const AliasedGfn first = round_down(fault.walk_gfn, fault.level);
  const Gfn gfn = round_down(fault.gfn, fault.level);
  mmu_.flush.took(mmu_.alias.space().alias_of(first),
                  {first, {first.value + pages}});
  mmu_.flush.range({gfn, {gfn.value + pages}});
}

// Nearly always there already: a table is made once for 512 leaves.
OutcomeCode TdpOps::reach(Fault& fault, Level goal, TableRef& table) {
  table = mmu_.tree(fault.root).find_table(fault.walk_gfn, goal);
  return table.id != kNoPage ? OutcomeCode::kFixed
                             : build_path(fault, goal, table);
}

OutcomeCode TdpOps::build_path(Fault& fault, Level goal, TableRef& table) {
  PageTable& tree = mmu_.tree(fault.root);
  table = tree.root();
  while (table.level > goal) {
    const unsigned index = table_index(fault.walk_gfn, table.level);
    const Spte spte = tree.get(table, index);
    if (spte.is_link(table.level)) {
      table = link::table(spte, below(table.level));
      continue;
    }
    if (spte.is_leaf(table.level)) {
      table = tree.split(table, index);
      note_nx_table(mmu_, fault, table);
      continue;
    }
    if (spte.is_frozen()) return OutcomeCode::kRetry;
    const OutcomeCode external = ask_external(fault, table, index);
    if (external != OutcomeCode::kFixed) return external;
    table = tree.link_child(table, index);
    note_nx_table(mmu_, fault, table);
  }
  return OutcomeCode::kFixed;
}

// Nobody else looks in a replay, so that the entry is frozen only for a test
// that does. Whoever meets it backs off, and has taken no table for it.
OutcomeCode TdpOps::let_others_meet_frozen(Fault& fault, TableRef& table,
                                           unsigned index) {
  PageTable& tree = mmu_.tree(fault.root);
  const Spte old = tree.get(table, index);
  tree.freeze(table, index);
  let_others_run(mmu_, InterleaveAt::kFrozen);
  table = tree.find_table(fault.walk_gfn, table.level);
  tree.thaw(table, index, old);
  fault.out_of_memory = !ensure_room(fault);
  return fault.out_of_memory ? OutcomeCode::kError : OutcomeCode::kFixed;
}

// The entry is frozen while the owner is asked and put back if it declines; to
// everybody else nothing has happened.
OutcomeCode TdpOps::ask_external(Fault& fault, TableRef& table,
                                 unsigned index) {
  if (!mmu_.traits.external_tables || fault.root != RootId::kPrivate) {
    return OutcomeCode::kFixed;
  }
  if (mmu_.interleave_at == InterleaveAt::kFrozen) {
    const OutcomeCode met = let_others_meet_frozen(fault, table, index);
    if (met != OutcomeCode::kFixed) return met;
  }
  switch (mmu_.external.ask()) {
    case ExternalAnswer::kOk:
      return OutcomeCode::kFixed;
    case ExternalAnswer::kBusy:
      return OutcomeCode::kRetry;
    case ExternalAnswer::kFailed:
      return OutcomeCode::kError;
  }
  return OutcomeCode::kFixed;
}

}  // namespace mmu
