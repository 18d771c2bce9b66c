#include "kvm/slot_memory.hpp"

#ifdef MMU_HAS_KVM

#include <algorithm>
#include <cerrno>

namespace mmu::kvm {
namespace {

constexpr std::uint64_t kPageBytes = 4096;

bool is_inside(std::uint64_t hva, std::uint64_t bytes) {
  return hva >= kMemoryStart && bytes <= kMemoryBytes &&
         hva - kMemoryStart <= kMemoryBytes - bytes;
}

int bits_of(Protection protection) {
  switch (protection) {
    case Protection::kNone:
      return PROT_NONE;
    case Protection::kReadOnly:
      return PROT_READ;
    case Protection::kReadWrite:
      break;
  }
  return PROT_READ | PROT_WRITE;
}

Errno result_of(int returned) { return returned == 0 ? 0 : errno; }

}  // namespace

Result<SlotMemory> SlotMemory::map() {
  void* const wanted = reinterpret_cast<void*>(kMemoryStart);
  Mapping mapping(
      ::mmap(wanted, kMemoryBytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
             -1, 0),
      kMemoryBytes);
  // Kernels before 4.17 take the address for a hint.
  if (mapping.start() != wanted) {
    return Error{.code = ErrorCode::kUnsupported,
                 .detail = "slots need 1 GiB of addresses at " +
                           number(kMemoryStart) +
                           ", which this process has in use: one VM of the "
                           "machine's own KVM at a time"};
  }
  // A page that the kernel collapses later would be one more thing that
  // happens by the clock.
  ::madvise(wanted, kMemoryBytes, MADV_NOHUGEPAGE);
  return SlotMemory(std::move(mapping));
}

Errno SlotMemory::renew() {
  if (const Errno error = unprotect()) return error;
  return result_of(
      ::madvise(mapping_.start(), mapping_.bytes(), MADV_DONTNEED));
}

std::uint8_t* SlotMemory::open_at(std::uint64_t hva,
                                  std::uint64_t bytes) const {
  if (is_closed_ || !is_inside(hva, bytes)) return nullptr;
  return static_cast<std::uint8_t*>(mapping_.start()) + (hva - kMemoryStart);
}

Errno SlotMemory::read(std::uint64_t hva, std::span<std::uint8_t> bytes) const {
  const std::uint8_t* const from = open_at(hva, bytes.size());
  if (!from) return EFAULT;
  std::copy_n(from, bytes.size(), bytes.begin());
  return 0;
}

Errno SlotMemory::write(std::uint64_t hva,
                        std::span<const std::uint8_t> bytes) {
  std::uint8_t* const to = open_at(hva, bytes.size());
  if (!to) return EFAULT;
  std::copy(bytes.begin(), bytes.end(), to);
  return 0;
}

Errno SlotMemory::protect(std::uint64_t hva, std::uint64_t bytes,
                          Protection protection) {
  if (!is_inside(hva, bytes)) return EFAULT;
  if (hva % kPageBytes != 0 || bytes % kPageBytes != 0) return EINVAL;
  is_closed_ = true;
  return result_of(
      ::mprotect(reinterpret_cast<void*>(hva), bytes, bits_of(protection)));
}

Errno SlotMemory::unprotect() {
  if (!is_closed_) return 0;
  if (::mprotect(mapping_.start(), mapping_.bytes(), PROT_READ | PROT_WRITE)) {
    return errno;
  }
  is_closed_ = false;
  return 0;
}

}  // namespace mmu::kvm

#endif
