// A vCPU's ring of dirty pages: KVM pushes, the VMM collects, a reset gives the
// collected entries back.
//
// Three counters that never wrap, reset <= collected <= pushed, and pushed less
// reset is at most the size. KVM keeps a flag in each entry instead; with one
// reader that collects in order, both say the same.
//
// KVM: virt/kvm/dirty_ring.c (v6.16).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/lazy_array.hpp"
#include "core/machine.hpp"

namespace mmu {

class DirtyRing {
 public:
  // What the capability allows; KVM_DIRTY_RING_MAX_ENTRIES.
  static constexpr std::uint64_t kEntryBytes = 16;
  static constexpr std::uint64_t kMostEntries = 65536;
  // Entries that are kept for what the vCPU may still dirty after it was told
  // to stop; KVM_DIRTY_RING_RSVD_ENTRIES, and PML's buffer on top.
  static constexpr std::uint64_t kReserved = 64;
  static constexpr std::uint64_t kPmlEntries = 512;
  static constexpr std::uint64_t reserved(bool pml) {
    return kReserved + (pml ? kPmlEntries : 0);
  }

  // `entries`: a power of two above `reserved`.
  static Result<DirtyRing> create(std::uint64_t entries,
                                  std::uint64_t reserved) {
    auto memory = LazyArray<DirtyRingEntry>::create(entries);
    if (!memory) return memory.error();
    DirtyRing ring;
    ring.entries_ = std::move(memory.value());
    ring.size_ = entries;
    ring.soft_limit_ = entries - reserved;
    return ring;
  }

  // KVM_EXIT_DIRTY_RING_FULL is due.
  bool is_soft_full() const noexcept { return used() >= soft_limit_; }
  std::uint64_t used() const noexcept { return pushed_ - reset_; }

  // A push on a full ring is lost.
  void push(const DirtyRingEntry& entry) noexcept {
    if (used() < size_) entries_[pushed_++ % size_] = entry;
  }

  // Entries that were not collected before, the oldest first; `most` 0: all.
  std::vector<DirtyRingEntry> collect(std::uint64_t most) {
    const std::uint64_t there = pushed_ - collected_;
    const std::uint64_t count = most == 0 ? there : std::min(most, there);
    std::vector<DirtyRingEntry> taken;
    taken.reserve(count);
    for (const std::uint64_t end = collected_ + count; collected_ < end;) {
      taken.push_back(entries_[collected_++ % size_]);
    }
    return taken;
  }
  // What is in it, and how much of that was collected.
  template <class Add>
  void each_word(Add add) const {
    add(collected_ - reset_);
    for (std::uint64_t at = reset_; at < pushed_; ++at) {
      const DirtyRingEntry& entry = entries_[at % size_];
      add(entry.slot);
      add(entry.page);
    }
  }
  void collect_all() noexcept { collected_ = pushed_; }

  // Gives back what was collected: visit(entry), the oldest first. How many.
  template <class Visit>
  std::uint64_t reset(Visit visit) {
    const std::uint64_t count = collected_ - reset_;
    while (reset_ < collected_) visit(entries_[reset_++ % size_]);
    return count;
  }

 private:
  DirtyRing() = default;

  LazyArray<DirtyRingEntry> entries_;
  std::uint64_t size_ = 0;
  std::uint64_t soft_limit_ = 0;
  std::uint64_t pushed_ = 0;
  std::uint64_t collected_ = 0;
  std::uint64_t reset_ = 0;
};

}  // namespace mmu
