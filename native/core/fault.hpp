// What KVM does when hardware could not translate an access.
//
// Inputs, what is derived from them, and the answer travel in one struct, as
// in KVM's struct kvm_page_fault. The strategy has already said which frame
// the address names and at which frame number KVM walks; nothing below knows
// an alias bit.
//
// KVM: kvm_mmu_page_fault(), kvm_tdp_page_fault(), fast_page_fault() (v6.16).
#pragma once

#include "core/mmu.hpp"

namespace mmu {

struct Fault {
  // Inputs.
  Gfn gfn;                  // canonical: slots, dirty logs
  AliasedGfn walk_gfn;      // KVM's table indexes
  std::uint8_t access = 0;  // kAccess* bits
  std::uint16_t vcpu = 0;
  // PFERR_PRESENT: the entry grants something, though not this.
  bool present = false;
  // PFERR_RSVD: hardware met an entry that it must not accept.
  bool reserved = false;

  // Outputs.
  Level level = Level::kNone;  // of the leaf that serves the access now
  bool out_of_memory = false;  // nothing has changed, nothing is counted

  bool is_write() const { return (access & kAccessWrite) != 0; }
};

OutcomeCode handle_fault(Mmu& mmu, Fault& fault) noexcept;

}  // namespace mmu
