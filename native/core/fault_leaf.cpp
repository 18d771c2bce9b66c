// What a fault installs: of which slot, how large, with which rights, and what
// a dirty log has to know of it.
//
// KVM: make_spte(), kvm_mmu_hugepage_adjust() (v6.16).
#include "core/dirty_mark.hpp"
#include "core/fault.hpp"
#include "core/leaf.hpp"
#include "core/leaf_level.hpp"
#include "core/memory_types.hpp"

namespace mmu {
namespace {

// Of the host page around the fault's; frames and gfns are congruent.
Pfn first_frame(const Fault& fault, Level level) {
  return {fault.pfn.value - (fault.gfn.value & (pages_per(level) - 1))};
}

}  // namespace

Memslot* visible_slot(const Mmu& mmu, const Fault& fault) {
  Memslot* slot = mmu.slots().find(fault.gfn);
  const bool hidden = slot != nullptr && slot->is_internal() &&
                      !mmu.alias.sees_internal_slot(fault.issued);
  return hidden ? nullptr : slot;
}

Pfn pfn_for(const Mmu& mmu, const Fault& fault, Level level) {
  const std::uint64_t private_base = mmu.private_bit >> kPageShift;
  return mmu.has_own_frames(fault.is_private)
             ? Pfn{private_base + fault.canonical.value}
             : first_frame(fault, level);
}

// KVM: mmu_try_to_unsync_pages() refuses a frame whose writes are watched.
Spte leaf_for(const Mmu& mmu, const Fault& fault, const Memslot& slot,
              Level level) {
  return build_leaf(
      {.pfn = pfn_for(mmu, fault, level),
       .level = level,
       .access = fault.permissions,
       .host_writable = fault.map_writable && !slot.is_readonly(),
       .write_refused = slot.tracked.contains(fault.gfn),
       .prefetch = fault.prefetch,
       .memory_type = type_bits(mmu, round_down(fault.gfn, level))},
      mmu.entry_rules);
}

Level goal_of(const Mmu& mmu, const Fault& fault, const Memslot& slot) {
  if (fault.is_private) return Level::k4K;
  const Level goal = goal_level(mmu, slot, fault.gfn);
  return allowed_by_types(mmu, fault.issued, goal);
}

bool is_refused(Fault& fault, Spte leaf) {
  if (!fault.is_write() || leaf.is_writable()) return false;
  fault.level = Level::kNone;
  return true;
}

void mark_dirty(const Mmu& mmu, const Fault& fault, Memslot& slot, Spte leaf) {
  if (leaf.is_writable() && !mmu.is_private(fault.root, leaf)) {
    mark_page_dirty(mmu, slot, fault.gfn, fault.vcpu);
  }
}

}  // namespace mmu
