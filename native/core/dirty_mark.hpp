// One page of a logged slot is dirty: where that is written down.
//
// KVM: mark_page_dirty_in_slot(), kvm_dirty_ring_push() (v6.16).
#pragma once

#include "core/mmu.hpp"

namespace mmu {

// `vcpu` runs. Whatever happens while none does is put down to the first.
inline void mark_page_dirty(const Mmu& mmu, Memslot& slot, Gfn gfn,
                            std::uint16_t vcpu) {
  if (!slot.is_logged()) return;
  // Without a vCPU to run there is no ring, and what bitmap there is serves.
  if (mmu.rings == nullptr || mmu.rings->of.empty()) {
    return slot.mark_dirty(gfn);
  }
  mmu.rings->of[vcpu].push(
      {slot.as_id << 16 | slot.id, gfn.value - slot.range.start.value});
}

}  // namespace mmu
