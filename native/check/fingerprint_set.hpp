// The states that were met: a hash set of fingerprints, 16 bytes each, at most
// two thirds full.
#pragma once

#include <vector>

#include "core/state_views.hpp"

namespace mmu::check {

class FingerprintSet {
 public:
  FingerprintSet() : slots_(1024) {}

  // True if it was not there. May throw std::bad_alloc, and is unchanged then.
  bool insert(Fingerprint state) {
    if (3 * (used_ + 1) > 2 * slots_.size()) grow();
    Fingerprint& slot = find(slots_, state);
    if (slot == state) return false;
    slot = state;
    ++used_;
    return true;
  }

  std::size_t size() const noexcept { return used_; }
  template <class Visit>
  void each(Visit visit) const {
    for (const Fingerprint& state : slots_) {
      if (state != Fingerprint{}) visit(state);
    }
  }

 private:
  // All zero is nobody's: of 2^128 that is one.
  static Fingerprint& find(std::vector<Fingerprint>& slots,
                           Fingerprint state) noexcept {
    const std::size_t mask = slots.size() - 1;
    std::size_t at = state.low & mask;
    while (slots[at] != Fingerprint{} && slots[at] != state) {
      at = (at + 1) & mask;
    }
    return slots[at];
  }

  void grow() {
    std::vector<Fingerprint> larger(2 * slots_.size());
    for (const Fingerprint& state : slots_) {
      if (state != Fingerprint{}) find(larger, state) = state;
    }
    slots_.swap(larger);
  }

  std::vector<Fingerprint> slots_;  // a power of two of them
  std::size_t used_ = 0;
};

}  // namespace mmu::check
