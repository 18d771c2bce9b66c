#include "kvm/live_vm.hpp"

#ifdef MMU_HAS_KVM

#include <algorithm>
#include <limits>

#include "kvm/ask.hpp"

namespace mmu::kvm {
namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kWordPages = 64;
constexpr std::uint32_t kNoFile = std::numeric_limits<std::uint32_t>::max();
// KVM_CAP_DIRTY_LOG_RING, KVM_CAP_DIRTY_LOG_RING_ACQ_REL.
constexpr std::uint32_t kRings[] = {192, 223};

}  // namespace

LiveVm::LiveVm(Descriptor file, int other_file)
    : file_(std::move(file)),
      other_file_(other_file),
      statistics_(VmStatistics::of(file_.get())) {}

LiveVcpu* LiveVm::vcpu(unsigned number) {
  return number < vcpus_.size() ? &vcpus_[number] : nullptr;
}

Errno LiveVm::create_vcpu(std::uint32_t id) {
  // Before the kernel has made one that nobody could keep.
  vcpus_.reserve(vcpus_.size() + 1);
  Descriptor file(
      ask_for(file_.get(), KVM_CREATE_VCPU, static_cast<unsigned long>(id)));
  if (!file) return errno;
  LiveVcpu made(std::move(file));
  if (ring_bytes_ != 0) {
    if (const Errno error = made.map_ring(ring_bytes_)) return error;
  }
  vcpus_.push_back(std::move(made));
  return 0;
}

Errno LiveVm::enable_cap(std::uint32_t capability, std::uint32_t flags,
                         std::uint64_t arg0) {
  kvm_enable_cap asked{};
  asked.cap = capability;
  asked.flags = flags;
  asked.args[0] = arg0;
  const Errno error = ask(file_.get(), KVM_ENABLE_CAP, &asked);
  const bool is_ring =
      std::ranges::find(kRings, capability) != std::end(kRings);
  if (error == 0 && is_ring) ring_bytes_ = arg0;
  return error;
}

Errno LiveVm::set_region(const Region& region) {
  const Errno error = region.is_old_ioctl ? set_old(region) : set_new(region);
  if (error == 0) {
    most_pages_ = std::max(most_pages_, region.bytes / kPageBytes);
  }
  return error;
}

Errno LiveVm::set_old(const Region& region) {
  kvm_userspace_memory_region asked{};
  asked.slot = region.slot;
  asked.flags = region.flags;
  asked.guest_phys_addr = region.gpa;
  asked.memory_size = region.bytes;
  asked.userspace_addr = region.hva;
  return ask(file_.get(), KVM_SET_USER_MEMORY_REGION, &asked);
}

Errno LiveVm::set_new(const Region& region) {
  uapi::Region2 asked{};
  asked.slot = region.slot;
  asked.flags = region.flags;
  asked.guest_phys_addr = region.gpa;
  asked.memory_size = region.bytes;
  asked.userspace_addr = region.hva;
  asked.guest_memfd = static_cast<std::uint32_t>(file_of(region));
  asked.guest_memfd_offset = region.memfd_offset;
  return ask(file_.get(), uapi::kSetRegion2, &asked);
}

int LiveVm::file_of(const Region& region) const {
  if (region.memfd == Region::kOtherFile) return other_file_;
  const auto number = static_cast<std::size_t>(region.memfd);
  const bool is_ours = region.memfd >= 0 && number < memfds_.size();
  return is_ours ? memfds_[number].get() : static_cast<int>(kNoFile);
}

Errno LiveVm::create_memfd(std::uint64_t bytes, std::uint64_t flags) {
  memfds_.reserve(memfds_.size() + 1);
  uapi::CreateGuestMemfd asked{};
  asked.size = bytes;
  asked.flags = flags;
  Descriptor file(ask_for(file_.get(), uapi::kCreateGuestMemfd, &asked));
  if (!file) return errno;
  memfds_.push_back(std::move(file));
  return 0;
}

std::uint64_t LiveVm::bitmap_bytes(std::uint64_t pages) {
  return (pages + kWordPages - 1) / kWordPages * sizeof(std::uint64_t);
}

Errno LiveVm::dirty_log(std::uint32_t slot, bool is_null,
                        std::vector<std::uint8_t>& bits) {
  bits.assign(is_null ? 0 : bitmap_bytes(most_pages_), 0);
  kvm_dirty_log asked{};
  asked.slot = slot;
  // An empty buffer of a VM without slots: nothing is copied to it.
  asked.dirty_bitmap = is_null ? nullptr : bits.data();
  return ask(file_.get(), KVM_GET_DIRTY_LOG, &asked);
}

Errno LiveVm::clear_dirty_log(std::uint32_t slot, std::uint64_t first_page,
                              std::uint32_t pages,
                              const std::optional<Bitmap>& bitmap) {
  // KVM refuses to clear more than the slot has before it reads any.
  const std::uint64_t read = std::min<std::uint64_t>(pages, most_pages_);
  std::vector<std::uint8_t> bytes;
  if (bitmap) {
    bytes.assign(std::max(bitmap_bytes(read), sizeof(std::uint64_t)),
                 bitmap->fill);
    const std::size_t given = std::min(bitmap->prefix.size(), bytes.size());
    std::copy_n(bitmap->prefix.begin(), given, bytes.begin());
  }
  kvm_clear_dirty_log asked{};
  asked.slot = slot;
  asked.num_pages = pages;
  asked.first_page = first_page;
  asked.dirty_bitmap = bitmap ? bytes.data() : nullptr;
  return ask(file_.get(), KVM_CLEAR_DIRTY_LOG, &asked);
}

Errno LiveVm::reset_rings(std::uint32_t& entries) {
  const int returned = ask_for(file_.get(), KVM_RESET_DIRTY_RINGS, 0UL);
  if (returned < 0) return errno;
  entries = static_cast<std::uint32_t>(returned);
  return 0;
}

}  // namespace mmu::kvm

#endif
