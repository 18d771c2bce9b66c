// The process' memory that slots may show: 1 GiB at a fixed place, so that
// every run has the same host addresses.
#pragma once

#include "kvm/descriptor.hpp"
#include "kvm/live_kvm.hpp"
#include "kvm/uapi.hpp"

#ifdef MMU_HAS_KVM

namespace mmu::kvm {

class SlotMemory {
 public:
  // ERR_UNSUPPORTED where something else is mapped there.
  static Result<SlotMemory> map();

  // Zeros, all of them open. No VM may show it meanwhile: it would notice.
  Errno renew();
  Errno read(std::uint64_t hva, std::span<std::uint8_t> bytes) const;
  Errno write(std::uint64_t hva, std::span<const std::uint8_t> bytes);
  Errno protect(std::uint64_t hva, std::uint64_t bytes, Protection protection);
  Errno unprotect();

 private:
  explicit SlotMemory(Mapping mapping) : mapping_(std::move(mapping)) {}
  // Null where the range is not inside, or some of the memory is closed.
  std::uint8_t* open_at(std::uint64_t hva, std::uint64_t bytes) const;

  Mapping mapping_;
  bool is_closed_ = false;
};

}  // namespace mmu::kvm

#endif
