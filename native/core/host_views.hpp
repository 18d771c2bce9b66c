// What goes between the outside and the host's side of a VM.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mmu {

// What a page of the host is to KVM: mapped, mapped without the right to write,
// not mapped (EFAULT), broken (hwpoison), not in memory just now.
enum class HostState : std::uint8_t {
  kReadWrite,
  kReadOnly,
  kNone,
  kPoison,
  kIo
};

// What the host's own page tables say of [hva, hva + bytes) from now on.
struct HostMappingRequest {
  std::uint64_t hva = 0;
  std::uint64_t bytes = 0;
  HostState state = HostState::kReadWrite;
  // Of the first page; the others follow. None: as the slot has them.
  std::optional<std::uint64_t> pfn{};
  // Largest page that the host maps this with: level 1, 2 or 3.
  std::uint8_t level = 1;
  // As if nothing had ever been said.
  bool reset = false;
};

// What KVM_PRE_FAULT_MEMORY came to.
struct PrefaultResult {
  std::uint64_t bytes_done = 0;
  std::string_view errno_name{};  // empty if anything was done
};

// KVM_EXIT_MEMORY_FAULT, with which KVM_RUN fails: EFAULT.
struct MemoryFaultView {
  static constexpr std::uint64_t kPrivate = 1 << 3;

  std::uint64_t flags = 0;
  std::uint64_t gpa = 0;  // without alias bits
  std::uint64_t bytes = 0;
};

// Which invalidations faults have to give way to.
struct InvalidationView {
  std::uint64_t in_progress = 0;  // open
  // Slot frames that those are about, or the last ones were.
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t sequence = 0;  // over
};

}  // namespace mmu
