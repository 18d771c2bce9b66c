// Which registers userspace may give a vCPU, and what becomes of them.
//
// KVM: kvm_is_valid_sregs(), kvm_is_valid_cr0(), kvm_is_valid_cr4() (v6.16).
#pragma once

#include <optional>

#include "core/error.hpp"
#include "core/guest/registers.hpp"
#include "core/kernel_profile.hpp"

namespace mmu {

// kRegisters (EINVAL), or nothing.
std::optional<Error> check_registers(const GuestRegisters& asked,
                                     const GuestCpuid& cpuid,
                                     const KernelProfile& kernel);

// What is left of registers that are in order: all, but for a kernel that pages
// in long mode alone and forgets CR0.PG outside it.
GuestRegisters as_taken(const GuestRegisters& asked,
                        const KernelProfile& kernel);

}  // namespace mmu
