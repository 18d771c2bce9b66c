// 128 bits of whatever words are added, in their order.
//
// Two lanes, each mixed as by splitmix64 (Steele, Lea and Flood 2014): two
// states that differ in one word differ in both. For telling states apart, not
// against anyone who looks for two that agree.
#pragma once

#include <cstdint>

#include "core/state_views.hpp"

namespace mmu {

class Digest {
 public:
  void add(std::uint64_t word) noexcept {
    low_ = mix(low_ + word + 0x9e3779b97f4a7c15);
    high_ = mix((high_ ^ word) * 0xd1342543de82ef95 + 0x2545f4914f6cdd1d);
  }

  Fingerprint value() const noexcept { return {low_, high_}; }

 private:
  static constexpr std::uint64_t mix(std::uint64_t word) noexcept {
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
    word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
    return word ^ (word >> 31);
  }

  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
};

}  // namespace mmu
