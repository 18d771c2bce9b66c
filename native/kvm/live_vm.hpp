// One VM: its descriptor, its vCPUs and files, and how large its slots are.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kvm/descriptor.hpp"
#include "kvm/live_kvm.hpp"
#include "kvm/live_vcpu.hpp"
#include "kvm/uapi.hpp"
#include "kvm/vm_statistics.hpp"

#ifdef MMU_HAS_KVM

namespace mmu::kvm {

class LiveVm {
 public:
  LiveVm(Descriptor file, int other_file);

  int file() const { return file_.get(); }
  // Null if there is none of this number.
  LiveVcpu* vcpu(unsigned number);

  Errno create_vcpu(std::uint32_t id);
  Errno enable_cap(std::uint32_t capability, std::uint32_t flags,
                   std::uint64_t arg0);
  Errno set_region(const Region& region);
  Errno create_memfd(std::uint64_t bytes, std::uint64_t flags);
  Errno dirty_log(std::uint32_t slot, bool is_null,
                  std::vector<std::uint8_t>& bits);
  Errno clear_dirty_log(std::uint32_t slot, std::uint64_t first_page,
                        std::uint32_t pages,
                        const std::optional<Bitmap>& bitmap);
  Errno reset_rings(std::uint32_t& entries);
  std::optional<std::uint64_t> statistic(const std::string& name) const {
    return statistics_.read(name);
  }

 private:
  Errno set_old(const Region& region);
  Errno set_new(const Region& region);
  int file_of(const Region& region) const;
  // Bytes of a bitmap of so many pages, whole words, as KVM counts them.
  static std::uint64_t bitmap_bytes(std::uint64_t pages);

  Descriptor file_;
  int other_file_;
  std::vector<LiveVcpu> vcpus_;
  std::vector<Descriptor> memfds_;
  VmStatistics statistics_;
  std::uint64_t ring_bytes_ = 0;
  // No slot has more, so a buffer for these holds the log of any.
  std::uint64_t most_pages_ = 0;
};

}  // namespace mmu::kvm

#endif
