// The host takes memory back: events of MMU notifiers.
//
// KVM: kvm_mmu_notifier_invalidate_range_start(), _end() (v6.16).
#pragma once

#include <optional>

#include "core/mmu.hpp"

namespace mmu {

// Host pages, as the events give them.
void begin_hva_invalidation(Mmu& mmu, HostRange pages);
void end_hva_invalidation(Mmu& mmu, HostRange pages);

// Whether a page was used since somebody asked last, and, with `clear`, as if
// none had been. KVM: kvm_mmu_notifier_clear_young(), _test_young().
bool age_hva(Mmu& mmu, HostRange pages, bool clear);

// Invalidations open and close by these, which keep the slots' short ways
// closed meanwhile.
void open_invalidation(Mmu& mmu);
void close_invalidation(Mmu& mmu);

// Whether the slots' short ways are open: not while a fault may have to retry.
void remember_slots(Mmu& mmu);

InvalidationView invalidation_view(const Mmu& mmu);

// Why the slots cannot change now: KVM would wait for the host to finish.
// KVM: kvm_swap_active_memslots().
std::optional<Error> slots_are_busy(const Mmu& mmu);

}  // namespace mmu
