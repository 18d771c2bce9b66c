// A large set of small numbers, of which few are in it.
//
// Three bitmaps, each of which says which words of the one before are not
// zero: the next number is found in a few reads, and that none of 2^31 numbers
// is there in 8192. The memory is the caller's, and zero is the empty set.
//
// Law: a bit of a summary is set if and only if its word below is not zero
// (test/native/reverse_map_test.cpp).
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "core/bits.hpp"

namespace mmu {

class SparseBits {
 public:
  // Words that a set of numbers below `count` needs.
  static constexpr std::uint64_t words_for(std::uint64_t count) {
    std::uint64_t sum = 0;
    for (unsigned level = 0; level < kLevels; ++level) {
      count = (count + 63) / 64;
      sum += count;
    }
    return sum;
  }

  SparseBits() = default;
  SparseBits(std::uint64_t* words, std::uint64_t count) {
    for (unsigned level = 0; level < kLevels; ++level) {
      count = (count + 63) / 64;
      words_[level] = words;
      sizes_[level] = count;
      words += count;
    }
  }

  void set(std::uint64_t n) noexcept {
    for (unsigned level = 0; level < kLevels; ++level, n /= 64) {
      std::uint64_t& word = words_[level][n / 64];
      const bool was_zero = word == 0;
      word |= bit(n % 64);
      if (!was_zero) return;
    }
  }
  void clear(std::uint64_t n) noexcept {
    for (unsigned level = 0; level < kLevels; ++level, n /= 64) {
      std::uint64_t& word = words_[level][n / 64];
      word &= ~bit(n % 64);
      if (word != 0) return;
    }
  }

  // The smallest number of the set in [from, end); `end` if there is none.
  std::uint64_t next(std::uint64_t from, std::uint64_t end) const noexcept;

 private:
  static constexpr unsigned kLevels = 3;

  std::uint64_t first_below(unsigned level, std::uint64_t at) const noexcept;

  std::array<std::uint64_t*, kLevels> words_{};
  std::array<std::uint64_t, kLevels> sizes_{};
};

// Up until a word at or behind `from` is not zero, then down along the first
// bits. `at` counts bits of a level, each of which stands for 64 of the level
// before.
inline std::uint64_t SparseBits::next(std::uint64_t from,
                                      std::uint64_t end) const noexcept {
  std::uint64_t at = from;
  for (unsigned level = 0; level < kLevels; ++level) {
    const std::uint64_t word = at / 64;
    if (word >= sizes_[level] || at << (6 * level) >= end) return end;
    const std::uint64_t rest = words_[level][word] >> at % 64;
    if (rest != 0) {
      at += static_cast<unsigned>(std::countr_zero(rest));
      return std::min(first_below(level, at), end);
    }
    at = word + 1;
  }
  // Nothing sums up the last summary.
  for (; at < sizes_.back() && at << (6 * kLevels) < end; ++at) {
    if (words_.back()[at] == 0) continue;
    return std::min(first_below(kLevels, at), end);
  }
  return end;
}

// The smallest number that bit `at` of a level stands for.
inline std::uint64_t SparseBits::first_below(unsigned level,
                                             std::uint64_t at) const noexcept {
  while (level-- > 0) {
    at = at * 64 + static_cast<unsigned>(std::countr_zero(words_[level][at]));
  }
  return at;
}

}  // namespace mmu
