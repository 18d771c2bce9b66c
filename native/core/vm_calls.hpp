// What a VMM asks of a VM beside slots and logs: capabilities, vCPUs, files of
// private memory, and writes that KVM makes itself.
//
// KVM: kvm_vm_ioctl_enable_cap(), kvm_vm_ioctl_create_vcpu(),
// kvm_gmem_create(), kvm_write_guest() (v6.16).
#pragma once

#include "core/mmu.hpp"

namespace mmu {

std::optional<Error> enable_cap(Mmu& mmu, std::uint32_t cap,
                                std::uint32_t flags, std::uint64_t arg0);

// KVM_CAP_DISABLE_QUIRKS2; what is disabled stays so.
std::optional<Error> disable_quirks(Mmu& mmu, std::uint64_t mask);

// The number of the new vCPU in events: how many there were before.
Result<std::uint32_t> create_vcpu(Mmu& mmu, std::uint32_t id);

// The number by which slots name the file.
Result<std::int32_t> create_guest_memfd(Mmu& mmu, std::uint64_t bytes,
                                        std::uint64_t flags);

Result<GuestTransfer> guest_write(Mmu& mmu, std::uint16_t vcpu,
                                  std::uint64_t gpa, std::uint64_t bytes);
Result<GuestTransfer> guest_read(Mmu& mmu, std::uint64_t gpa,
                                 std::uint64_t bytes);

}  // namespace mmu
