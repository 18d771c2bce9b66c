// A set of vCPUs, a bit each: as long to go through as there are members, and
// a word for 64 that are none.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "core/bits.hpp"

namespace mmu {

class VcpuSet {
 public:
  // Room for vCPUs below `vcpus`; from here on add() cannot fail.
  void reserve(unsigned vcpus) { words_.resize((vcpus + 63) / 64); }

  void add(unsigned vcpu) noexcept { words_[vcpu / 64] |= bit(vcpu % 64); }
  void clear() noexcept {
    for (std::uint64_t& word : words_) word = 0;
  }

  // Calls visit(vcpu) for the members, in order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      for (std::uint64_t left = words_[i]; left != 0; left &= left - 1) {
        visit(static_cast<unsigned>(i * 64) +
              static_cast<unsigned>(std::countr_zero(left)));
      }
    }
  }

 private:
  std::vector<std::uint64_t> words_;
};

}  // namespace mmu
