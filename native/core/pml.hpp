// The page-modification logs of a VM's vCPUs: frames, as issued, whose Dirty
// bit hardware has set since the log was last drained.
//
// What is drained, and when, is pml_log.hpp's business.
//
// KVM: struct vcpu_vmx.pml_pg, vmx_flush_pml_buffer() (v6.16).
#pragma once

#include <algorithm>

#include "core/address.hpp"
#include "core/lazy_array.hpp"
#include "core/machine.hpp"

namespace mmu {

// Nested tables have no such log.
constexpr bool uses_pml(const HostOptions& host) {
  return host.pml && host.ad_bits && host.vendor == Vendor::kIntel;
}

class PmlBuffers {
 public:
  static constexpr unsigned kCapacity = 512;
  static constexpr std::uint64_t kMostVcpus = 65536;

  // For as many vCPUs as a VM may ever have; memory goes to those that write.
  // kOutOfMemory where the host refuses.
  static Result<PmlBuffers> create() {
    auto memory = LazyArray<Buffer>::create(kMostVcpus);
    if (!memory) return memory.error();
    PmlBuffers buffers;
    buffers.of_ = std::move(memory.value());
    return buffers;
  }

  bool is_full(std::uint64_t vcpu) const noexcept {
    return of_[vcpu].used == kCapacity;
  }
  // Where it is not full.
  void append(std::uint64_t vcpu, AliasedGfn gfn) noexcept {
    Buffer& buffer = of_[vcpu];
    buffer.gfns[buffer.used++] = gfn.value;
  }
  // Calls visit(gfn) for what a vCPU's has, oldest first, and empties it.
  template <class Visit>
  void drain(std::uint64_t vcpu, Visit visit) noexcept {
    Buffer& buffer = of_[vcpu];
    for (std::uint64_t i = 0; i < buffer.used; ++i) {
      visit(AliasedGfn{buffer.gfns[i]});
    }
    // Pages that were never written stay so.
    if (buffer.used != 0) buffer.used = 0;
  }
  // Calls visit(gfn) for what a vCPU's has, oldest first.
  template <class Visit>
  void each(std::uint64_t vcpu, Visit visit) const {
    const Buffer& buffer = of_[vcpu];
    for (std::uint64_t i = 0; i < buffer.used; ++i) {
      visit(AliasedGfn{buffer.gfns[i]});
    }
  }
  // Whether a vCPU's has a frame for which is_it(gfn).
  template <class IsIt>
  bool any_of(std::uint64_t vcpu, IsIt is_it) const noexcept {
    const Buffer& buffer = of_[vcpu];
    return std::any_of(
        buffer.gfns, buffer.gfns + buffer.used,
        [&](std::uint64_t gfn) { return is_it(AliasedGfn{gfn}); });
  }

 private:
  struct Buffer {
    std::uint64_t used;
    std::uint64_t gfns[kCapacity];
  };

  PmlBuffers() = default;

  LazyArray<Buffer> of_;
};

}  // namespace mmu
