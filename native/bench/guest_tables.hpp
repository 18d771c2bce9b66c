// A guest's own four-level tables, as a guest has them: in its memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/bits.hpp"

namespace mmu::bench {

class GuestTables {
 public:
  static constexpr std::uint64_t kFrame = bits(51, 12);
  static constexpr std::uint64_t kPage = 4096;

  // They map `bytes` at gva 0 in 4K, marked already, and lie behind them.
  explicit GuestTables(std::uint64_t bytes)
      : start_(bytes), words_(512 * (bytes / kPage / 512 * 2 + 16)) {
    root_ = new_table();
    for (std::uint64_t gva = 0; gva < bytes; gva += kPage) {
      *entry_of(gva) = gva | kFlags;
    }
  }
  std::uint64_t root() const { return root_; }
  std::uint64_t start() const { return start_; }
  std::span<const std::byte> bytes() const {
    return std::as_bytes(std::span(words_).first(used_ * 512));
  }

 private:
  // Present, writable, user, Accessed, Dirty.
  static constexpr std::uint64_t kFlags = 0x67;

  std::uint64_t new_table() { return start_ + used_++ * kPage; }
  std::uint64_t* table(std::uint64_t gpa) {
    return &words_[(gpa - start_) / 8];
  }
  std::uint64_t* entry_of(std::uint64_t gva) {
    std::uint64_t at = root_;
    for (unsigned shift = 39; shift > 12; shift -= 9) {
      std::uint64_t& entry = table(at)[gva >> shift & 511];
      if (entry == 0) entry = new_table() | kFlags;
      at = entry & kFrame;
    }
    return &table(at)[gva >> 12 & 511];
  }

  std::uint64_t start_;
  std::vector<std::uint64_t> words_;
  std::uint64_t used_ = 0;
  std::uint64_t root_ = 0;
};

}  // namespace mmu::bench
