// Invalidations of guest frames: those that are open, and how many are over.
//
// A fault looks its host page up without a lock. What it found may be gone by
// the time it maps it, so it notes how many invalidations are over, and before
// it maps asks whether one has ended since, or is open over its frame.
//
// Law: the range holds the frames of every invalidation that is open, and
// shrinks only when the first of a new row opens
// (test/native/behaviour_window_test.cpp).
//
// KVM: mmu_invalidate_retry_gfn(), kvm_mmu_invalidate_begin(), _range_add(),
// _end() (v6.16).
#pragma once

#include <algorithm>

#include "core/address.hpp"

namespace mmu {

class Invalidations {
 public:
  void begin() {
    if (in_progress_++ == 0) range_ = {};
  }
  // Frames that an open one is about.
  void add(GfnRange frames) {
    if (frames.empty()) return;
    if (range_.empty()) {
      range_ = frames;
      return;
    }
    range_.start = std::min(range_.start, frames.start);
    range_.end = std::max(range_.end, frames.end);
  }
  // Nothing for one that was never opened.
  void end() {
    if (in_progress_ == 0) return;
    ++sequence_;
    --in_progress_;
  }

  bool is_open() const { return in_progress_ != 0; }
  std::uint64_t in_progress() const { return in_progress_; }
  GfnRange range() const { return range_; }
  std::uint64_t sequence() const { return sequence_; }
  // Whether a fault that noted `sequence` before must look again.
  bool must_retry(Gfn gfn, std::uint64_t sequence) const {
    return (is_open() && range_.contains(gfn)) || sequence != sequence_;
  }

  // Invalidations of host pages that are open, whether or not a slot stands on
  // them. KVM: mn_active_invalidate_count.
  std::uint64_t active_notifiers = 0;

 private:
  std::uint64_t in_progress_ = 0;
  GfnRange range_{};
  std::uint64_t sequence_ = 0;
};

}  // namespace mmu
