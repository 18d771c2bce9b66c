// From hardware's page-modification logs to the dirty logs of slots.
//
// The log is in use while some slot is logged. What is in a buffer is marked
// dirty under the frame that slots know, which KVM, having no alias bits
// there, gets by a shift.
//
// KVM: vmx_flush_pml_buffer(), vmx_update_cpu_dirty_logging() (v6.16).
#pragma once

#include "core/mmu.hpp"

namespace mmu {

// Hardware sets Dirty in a leaf that is not private. A buffer without room is
// drained first, as hardware exits before the write.
void log_dirty_bit(Mmu& mmu, std::uint16_t vcpu, AliasedGfn issued);

// As every exit of the vCPU does, and a kick of all of them.
void drain_pml(Mmu& mmu, std::uint16_t vcpu);
void drain_pml(Mmu& mmu);

// Where nobody is logged any more, nothing is left to drain.
void forget_pml_unless_logged(Mmu& mmu);

// Whether a write to the frame waits in some buffer.
bool is_in_pml(const Mmu& mmu, Gfn slot_gfn);

}  // namespace mmu
