// What KVM does when hardware could not translate an access.
//
// Inputs, what is derived from them, and the answer travel in one struct, as
// in KVM's struct kvm_page_fault. The strategy has already said which frame
// the address names, under which frames KVM walks and looks, and what may be
// done through it; nothing below knows an alias bit.
//
// Its order is fault.cpp's; each step has a file of its own (fault_steps.hpp).
//
// KVM: kvm_mmu_page_fault(), kvm_tdp_page_fault() (v6.16).
#pragma once

#include "core/hardware_walk.hpp"
#include "core/mmu.hpp"

namespace mmu {

struct Fault {
  // Inputs.
  AliasedGfn issued;
  std::uint8_t access = 0;  // kAccess* bits
  std::uint16_t vcpu = 0;
  // PFERR_PRESENT: the entry grants something, though not this.
  bool present = false;
  // What it grants: kAccess* bits.
  std::uint8_t granted = 0;
  // PFERR_RSVD: hardware met an entry that it must not accept.
  bool reserved = false;
  // Nobody waits for this one: a leaf that is there is left as it is, a new
  // one is not marked as used.
  bool prefetch = false;

  // What the strategy says of the address.
  Gfn gfn;              // slots, dirty logs
  Gfn canonical;        // attributes
  AliasedGfn walk_gfn;  // KVM's table indexes
  RootId root = RootId::kDirect;
  bool is_private = false;
  std::uint8_t permissions = 7;

  // What the host says of the page; KVM: kvm_faultin_pfn().
  Pfn pfn{};
  bool map_writable = true;

  // How large a page it could have had, and whether it must not have it,
  // because it fetches (iTLB multihit).
  Level req_level = Level::k4K;
  bool huge_page_disallowed = false;

  // Outputs.
  Level level = Level::kNone;  // of the leaf that serves the access now
  // The leaf is gone again, with all others of its frame.
  bool recycled = false;
  bool out_of_memory = false;  // nothing has changed, nothing is counted

  bool is_write() const { return (access & kAccessWrite) != 0; }
};

// `word`: the entry on which hardware's walk ended. Whoever knows the
// strategy's type has its answers inlined.
template <class S>
Fault make_fault(const S& alias, AliasedGfn issued, std::uint8_t access,
                 std::uint16_t vcpu, std::uint64_t word) {
  Fault fault{.issued = issued,
              .access = access,
              .vcpu = vcpu,
              .reserved = HardwareWalk::is_misconfigured(word),
              .gfn = alias.slot_gfn(issued),
              .canonical = alias.canonical(issued),
              .walk_gfn = alias.walk_gfn(issued),
              .root = alias.root_of(issued),
              .is_private = alias.is_private(issued),
              .permissions = alias.permissions(issued)};
  const auto granted = static_cast<std::uint8_t>(word & ept::kPermissions);
  fault.granted = fault.reserved ? 0 : granted;
  fault.present = fault.granted != 0;
  return fault;
}

OutcomeCode handle_fault(Mmu& mmu, Fault& fault);

// A fault that no access has led to: it counts nothing that its leaf does not.
// KVM: kvm_mmu_do_page_fault() with prefetch.
OutcomeCode handle_prefetch(Mmu& mmu, Fault& fault);

// The slot that backs the frame, for this alias: KVM's own are not for all.
Memslot* visible_slot(const Mmu& mmu, const Fault& fault);
// The frame that a fault has found, the first of a page at `level`.
Pfn pfn_for(const Mmu& mmu, const Fault& fault, Level level);
// The leaf that it gets.
Spte leaf_for(const Mmu& mmu, const Fault& fault, const Memslot& slot,
              Level level);
// The level at which it is mapped.
Level goal_of(const Mmu& mmu, const Fault& fault, const Memslot& slot);
// Whether a leaf was installed that does not let the write through, so that
// nothing has served it. KVM: the result RET_PF_WRITE_PROTECTED of make_spte().
bool is_refused(Fault& fault, Spte leaf);
// A leaf was installed: what a dirty log has to know.
void mark_dirty(const Mmu& mmu, const Fault& fault, Memslot& slot, Spte leaf);

}  // namespace mmu
