// What a VMM asks of a vCPU's registers and of guest memory, and where a GVA
// leads.
//
// KVM: KVM_SET_CPUID2, KVM_SET_SREGS, KVM_TRANSLATE (v6.16).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/guest/guest.hpp"
#include "core/guest/translation.hpp"
#include "core/mmu.hpp"

namespace mmu {

// The vCPU's state, made if nobody has asked for it before. kVcpu.
Result<GuestVcpu*> guest_vcpu(Mmu& mmu, unsigned vcpu);

std::optional<Error> set_guest_cpuid(Mmu& mmu, unsigned vcpu,
                                     const GuestCpuid& cpuid);
// KVM_SET_SREGS, with what KVM_SET_REGS and XSAVE's area bring besides.
// kRegisters; kUnsupported for tables in which no alias bit has room, in a VM
// that has alias bits. `flags_alone`: RFLAGS and PKRU change and nothing else,
// which is never refused.
std::optional<Error> set_guest_registers(Mmu& mmu, unsigned vcpu,
                                         const GuestRegisters& asked,
                                         bool flags_alone);
// What the guest does itself. Where it gets a #GP: kRegisters.
// KVM: kvm_set_cr3().
std::optional<Error> load_guest_cr3(Mmu& mmu, unsigned vcpu, std::uint64_t cr3);
std::optional<Error> set_nested_paging(Mmu& mmu, unsigned vcpu,
                                       const NestedPaging& asked);

std::optional<Error> address_by_gva(Mmu& mmu, bool by_gva);
inline bool is_addressed_by_gva(const Mmu& mmu) {
  return mmu.guest != nullptr && mmu.guest->is_addressed_by_gva;
}

// The VMM's own stores and loads, through its mapping of the slots: nothing is
// dirty by them. kGuestMemory, and nothing changed, where the range leaves the
// slots.
std::optional<Error> write_guest_memory(Mmu& mmu, std::uint64_t gpa,
                                        std::span<const std::byte> bytes);
std::optional<Error> read_guest_memory(const Mmu& mmu, std::uint64_t gpa,
                                       std::span<std::byte> bytes);

// As GuestWalker::walk(); KVM_TRANSLATE is the one whose access is 0.
Result<GuestTranslation> translate(Mmu& mmu, unsigned vcpu,
                                   std::uint64_t address, std::uint64_t access,
                                   std::vector<GuestReference>* trail);
// What hardware does: no mark is logged here, since its accesses to the tables
// are seen by KVM's own.
GuestTranslation translate_unlogged(Mmu& mmu, unsigned vcpu,
                                    std::uint64_t address, std::uint64_t access,
                                    std::vector<GuestReference>& trail);
// The same of every row, in order.
std::optional<Error> translate_batch(Mmu& mmu, unsigned vcpu,
                                     std::uint64_t access,
                                     const TranslationColumns& columns);

}  // namespace mmu
