// A slot as it comes into being: with its arrays, its bitmap and its twins.
//
// Everything that may not be had is made here, before a set of slots changes.
//
// KVM: kvm_alloc_memslot_metadata(), kvm_alloc_dirty_bitmap() (v6.16).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/mmu.hpp"

namespace mmu {

// A slot, then its twins.
using Family = std::vector<std::unique_ptr<Memslot>>;

Result<Family> make_family(const Mmu& mmu, const MemslotRegion& region);

// Calls act(slot) on a slot, then on its twins.
template <class Act>
void for_each_member(Memslot& slot, Act act) {
  act(slot);
  for (Memslot* twin : slot.twins) act(*twin);
}

// KVM's own slots, or why they cannot be made.
std::optional<Error> make_internal_slots(Mmu& mmu);

}  // namespace mmu
