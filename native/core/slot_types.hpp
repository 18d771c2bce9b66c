// What goes into and comes out of the calls about memslots and dirty logs.
//
// Part of machine.hpp, which is where to look first.
#pragma once

#include <cstdint>
#include <vector>

#include "core/event.hpp"

namespace mmu {

// The argument of KVM_SET_USER_MEMORY_REGION, plus what the modelled host
// backs the range with.
struct MemslotRegion {
  static constexpr std::uint32_t kLogDirty = 1;
  static constexpr std::uint32_t kReadonly = 2;
  static constexpr std::uint32_t kGuestMemfd = 4;
  // Instead of a guest_memfd: no open file, and a file of another kind.
  static constexpr std::int32_t kNoFile = -1;
  static constexpr std::int32_t kOtherFile = -2;

  std::uint32_t slot = 0;  // as_id << 16 | id
  std::uint32_t flags = 0;
  std::uint64_t gpa = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hva = 0;
  // Largest page that the host maps this memory with: level 1, 2 or 3.
  std::uint8_t backing = 1;
  // With kGuestMemfd: what create_guest_memfd() answered, and a byte in it.
  std::int32_t memfd = kNoFile;
  std::uint64_t memfd_offset = 0;
  // Asked through KVM_SET_USER_MEMORY_REGION, which knows two flags, and not
  // through KVM_SET_USER_MEMORY_REGION2.
  bool is_old_ioctl = false;
};

struct MemslotView {
  std::uint32_t slot = 0;
  std::uint32_t flags = 0;
  std::uint64_t gpa = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hva = 0;
  std::uint8_t backing = 1;
  // Pages whose bit is set in the dirty bitmap now.
  std::uint64_t dirty_pages = 0;
  std::int32_t memfd = MemslotRegion::kNoFile;
  std::uint64_t memfd_offset = 0;
};

// An entry of a dirty ring, its flags left out. KVM: struct kvm_dirty_gfn.
struct DirtyRingEntry {
  std::uint32_t slot = 0;  // as_id << 16 | id
  std::uint64_t page = 0;  // counted from the start of the slot
};

// The argument of KVM_CLEAR_DIRTY_LOG.
struct DirtyLogClear {
  std::uint32_t slot = 0;
  std::uint64_t first_page = 0;
  std::uint32_t pages = 0;
};

// What KVM_RESET_DIRTY_RINGS gave back, and what it did.
struct RingReset {
  std::uint64_t entries = 0;
  Outcome outcome{};
};

// A part of guest memory that lies in one page.
struct GuestPiece {
  std::uint64_t hva = 0;
  std::uint64_t bytes = 0;
};

// What came of an access that KVM made to guest memory: the pieces that were
// done, in order. The contents are nobody's business here.
struct GuestTransfer {
  std::vector<GuestPiece> pieces{};
  std::uint64_t bytes_done = 0;
  bool faulted = false;  // EFAULT at the piece behind them
};

}  // namespace mmu
