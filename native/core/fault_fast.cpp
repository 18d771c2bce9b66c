// The part of a fault that needs no lock: a leaf gets back what KVM took from
// it only to notice the next access.
//
// KVM: fast_page_fault() (v6.16).
#include "core/fault_steps.hpp"
#include "core/last_entry.hpp"
#include "core/leaf.hpp"
#include "core/tracepoints/tracer.hpp"

namespace mmu {
namespace {

bool allows(Spte spte, std::uint8_t access) {
  return (spte.permissions() & access) == access;
}

// A leaf with everything that was taken from it only to notice this access.
Spte restored(Spte leaf, bool write) {
  Spte now = is_access_tracked(leaf) ? mark_used(leaf) : leaf;
  return write && leaf.has(ept::kMmuWritable) ? now.with(ept::kWrite) : now;
}

// Whoever maps ahead neither reads, writes nor fetches, which KVM takes for a
// read: is_access_allowed().
std::uint8_t wanted_by(const Fault& fault) {
  return fault.access != 0 ? fault.access : std::uint8_t{kAccessRead};
}

// With A/D bits in use only a write can want something back.
bool may_be_fast(const Mmu& mmu, const Fault& fault) {
  if (fault.reserved) return false;
  return fault.present ? fault.is_write() : mmu.entry_rules.ad_disabled();
}

// Other than kRetry is an answer: there was something to give back, or nothing
// missing.
OutcomeCode fix_found(Mmu& mmu, Fault& fault, LastEntry& found) {
  const Level level = found.table.level;
  if (!found.spte.is_leaf(level)) return OutcomeCode::kRetry;
  // None for a leaf that outlived its slot, which KVM gives its rights back
  // too.
  Memslot* slot = visible_slot(mmu, fault);
  const Spte fixed = restored(found.spte, fault.is_write());
  const bool writes = fixed.is_writable() && !found.spte.is_writable();
  const bool must_split =
      writes && level > Level::k4K && slot != nullptr && slot->is_logged();
  if (must_split || !allows(fixed, wanted_by(fault)))
    return OutcomeCode::kRetry;
  fault.level = level;
  if (allows(found.spte, wanted_by(fault))) return OutcomeCode::kSpurious;
  mmu.tree(fault.root).give_back(found.table, found.index, fixed);
  if (writes && slot != nullptr) mark_dirty(mmu, fault, *slot, fixed);
  return OutcomeCode::kFixed;
}

}  // namespace

// KVM: fast_page_fault().
OutcomeCode fix_fast(Mmu& mmu, Fault& fault) {
  const PageTable& tree = mmu.tree(fault.root);
  if (!may_be_fast(mmu, fault) || !tree.has_root()) return OutcomeCode::kRetry;
  LastEntry found = find_last(tree, fault.walk_gfn);
  const Spte old = found.spte;
  const OutcomeCode code = fix_found(mmu, fault, found);
  if (mmu.trace) {
    mmu.trace->fast_page_fault(fault, found.table, found.index, old,
                               code != OutcomeCode::kRetry);
  }
  return code;
}

}  // namespace mmu
