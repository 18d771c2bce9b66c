// The engine's table format and nothing else of the engine: pages as
// core/table_page.hpp lays them out, in an arena that only grows.
//
// Beside the bare formats of floor.hpp it says what the format costs; the
// engine itself also keeps accounts, parents and slots.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/huge_arena.hpp"
#include "core/table_page.hpp"

namespace mmu::bench {

class CompactTables {
 public:
  static constexpr std::uint64_t kTableBytes = sizeof(mmu::FullPage);

  // Every leaf table may have been compact before it was full.
  explicit CompactTables(std::uint64_t max_tables)
      : arena_(max_tables * (kTableBytes + sizeof(mmu::CompactPage))) {
    root_ = cut(sizeof(mmu::FullPage)) << kShift;
  }

  void insert(std::uint64_t gfn) {
    std::uint64_t* link = &root_;
    for (unsigned shift = 27; shift != 0; shift -= 9) {
      link = &full(*link).entries[(gfn >> shift) & 511];
      if (*link == 0) {
        *link = shift == 9 ? take_compact() : cut(kTableBytes) << kShift;
      }
    }
    const unsigned index = gfn & 511;
    const std::uint64_t word = gfn << kShift | kPresent;
    if ((*link & kCompact) != 0) {
      if (mmu::store(compact(*link), index, word)) return;
      make_full(*link);
    }
    full(*link).entries[index] = word;
  }

  // A link that is missing leads to page 0, which is empty.
  std::uint64_t walk(std::uint64_t gfn) const {
    std::uint64_t word = root_;
    for (unsigned shift = 27; shift != 0; shift -= 9) {
      word = full(word).entries[(gfn >> shift) & 511];
    }
    return (word & kCompact) != 0 ? mmu::stored_at(compact(word), gfn & 511)
                                  : full(word).entries[gfn & 511];
  }

  // Compact pages that were given back and not taken again do not count.
  std::uint64_t bytes() const {
    return used_ * mmu::kGranule - kTableBytes -
           spare_.size() * sizeof(mmu::CompactPage);
  }

 private:
  static constexpr unsigned kShift = 12;
  static constexpr std::uint64_t kPresent = 1;
  static constexpr std::uint64_t kCompact = 2;

  std::uint8_t* at(std::uint64_t word) const {
    return arena_.base() + (word >> kShift) * mmu::kGranule;
  }
  mmu::FullPage& full(std::uint64_t word) const {
    return *reinterpret_cast<mmu::FullPage*>(at(word));
  }
  mmu::CompactPage& compact(std::uint64_t word) const {
    return *reinterpret_cast<mmu::CompactPage*>(at(word));
  }

  std::uint64_t cut(std::uint64_t bytes) {
    const std::uint64_t id = used_;
    used_ += bytes / mmu::kGranule;
    return id;
  }

  std::uint64_t take_compact() {
    if (!spare_.empty()) {
      const std::uint64_t word = spare_.back();
      spare_.pop_back();
      return word;
    }
    const std::uint64_t word =
        cut(sizeof(mmu::CompactPage)) << kShift | kCompact;
    compact(word).keys.fill(mmu::kNoKey);
    return word;
  }

  void make_full(std::uint64_t& link) {
    const std::uint64_t word = cut(kTableBytes) << kShift;
    mmu::copy_entries(compact(link), full(word));
    mmu::clear(compact(link));
    spare_.push_back(link);
    link = word;
  }

  HugeArena arena_;
  std::uint64_t root_ = 0;
  std::uint64_t used_ = kTableBytes / mmu::kGranule;
  std::vector<std::uint64_t> spare_;
};

}  // namespace mmu::bench
