#include "kvm/vm_statistics.hpp"

#ifdef MMU_HAS_KVM

#include <cstddef>
#include <cstring>
#include <vector>

namespace mmu::kvm {
namespace {

// More than any kernel has, and little enough to allocate on its word.
constexpr std::uint32_t kMostStatistics = 4096;
constexpr std::uint32_t kLongestName = 256;

bool read_all(int file, void* to, std::size_t bytes, std::uint64_t offset) {
  return ::pread(file, to, bytes, static_cast<off_t>(offset)) ==
         static_cast<ssize_t>(bytes);
}

}  // namespace

VmStatistics VmStatistics::of(int vm) {
  VmStatistics made;
  made.file_ = Descriptor(::ioctl(vm, KVM_GET_STATS_FD, nullptr));
  if (made.file_) made.learn();
  return made;
}

void VmStatistics::learn() {
  kvm_stats_header header{};
  if (!read_all(file_.get(), &header, sizeof header, 0)) return;
  if (header.num_desc > kMostStatistics || header.name_size > kLongestName) {
    return;
  }
  const std::size_t each = sizeof(uapi::StatisticHead) + header.name_size;
  std::vector<char> all(each * header.num_desc);
  if (!read_all(file_.get(), all.data(), all.size(), header.desc_offset)) {
    return;
  }
  for (std::size_t at = 0; at < all.size(); at += each) {
    uapi::StatisticHead one{};
    std::memcpy(&one, &all[at], sizeof one);
    const char* const name = &all[at + sizeof one];
    offsets_.emplace(std::string(name, ::strnlen(name, header.name_size)),
                     header.data_offset + one.offset);
  }
}

std::optional<std::uint64_t> VmStatistics::read(const std::string& name) const {
  const auto place = offsets_.find(name);
  std::uint64_t value = 0;
  if (place == offsets_.end() ||
      !read_all(file_.get(), &value, sizeof value, place->second)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace mmu::kvm

#endif
