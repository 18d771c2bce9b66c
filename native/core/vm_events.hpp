// Events that are not accesses: what the VMM or the host does to a VM.
#pragma once

#include "core/memslot_ops.hpp"

namespace mmu {

// A checked event. `flags`: its access column.
struct VmEvent {
  EventKind kind = EventKind::kEnd;
  std::uint8_t flags = 0;
  std::uint16_t vcpu = 0;
  std::uint64_t start = 0;  // in pages: a canonical frame, or of an hva
  std::uint64_t end = 0;
};

Outcome apply_vm_event(Mmu& mmu, const VmEvent& event);

// Zaps canonical frames through every alias. KVM: kvm_zap_gfn_range().
void zap_range(Mmu& mmu, GfnRange range);

// KVM_SET_MEMORY_ATTRIBUTES.
void set_attributes(Mmu& mmu, GfnRange range, bool to_private);

// The outcome of what has been done since `before` SPTE changes and the last
// TlbFlush::begin_event().
Outcome done_since(const Mmu& mmu, std::uint64_t before);

}  // namespace mmu
