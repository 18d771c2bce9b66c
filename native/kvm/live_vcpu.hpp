// One vCPU of a VM: its descriptor, and its dirty ring where the VM has rings.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kvm/descriptor.hpp"
#include "kvm/live_kvm.hpp"
#include "kvm/uapi.hpp"

#ifdef MMU_HAS_KVM

namespace mmu::kvm {

class LiveVcpu {
 public:
  explicit LiveVcpu(Descriptor file) : file_(std::move(file)) {}

  Errno map_ring(std::uint64_t bytes);
  Errno collect(std::uint32_t most, std::vector<RingEntry>& entries);

  Errno set_msr(std::uint32_t msr, std::uint64_t value);
  Errno set_cpuid(std::span<const CpuidEntry> all);
  Errno registers(Registers& registers) const;
  Errno set_registers(const Registers& registers);
  Errno set_rflags(std::uint64_t rflags);
  Errno translate(std::uint64_t gva, Translation& translation) const;
  Errno prefault(std::uint64_t gpa, std::uint64_t bytes, std::uint64_t flags);

 private:
  Descriptor file_;
  Mapping ring_;
  std::size_t next_ = 0;
};

}  // namespace mmu::kvm

#endif
