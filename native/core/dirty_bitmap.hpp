// One bit per 4K page of a memslot: written since the bit was last taken.
//
// A second, 64 times smaller bitmap says which words are not zero, so that a
// round over a mostly clean slot costs what is dirty, not what is mapped.
//
// KVM: kvm_memory_slot.dirty_bitmap, mark_page_dirty_in_slot() (v6.16).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bits.hpp"

namespace mmu {

class DirtyBitmap {
 public:
  explicit DirtyBitmap(std::uint64_t pages)
      : words_((pages + 63) / 64), summary_((words_.size() + 63) / 64) {}

  // Without a test for what is set already: a branch would have to wait for a
  // word that is often not in any cache.
  void set(std::uint64_t page) { marker().set(page); }

  // set(), for whoever has many to set and nothing else to do with the map.
  struct Marker {
    std::uint64_t* words = nullptr;
    std::uint64_t* summary = nullptr;

    void set(std::uint64_t page) const {
      words[page / 64] |= bit(page % 64);
      summary[page / 4096] |= bit(page / 64 % 64);
    }
    [[gnu::always_inline]] void prefetch(std::uint64_t page) const {
      __builtin_prefetch(&words[page / 64], 1);
    }
  };
  Marker marker() { return {words_.data(), summary_.data()}; }

  // Every page of the slot, and nothing behind it.
  void set_all(std::uint64_t pages) {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      words_[i] = ~std::uint64_t{0};
      summary_[i / 64] |= bit(i % 64);
    }
    if (pages % 64 != 0) words_.back() = bit(pages % 64) - 1;
  }

  // Takes the bits of a mask out of one word. Which of them were set.
  std::uint64_t clear(std::size_t word, std::uint64_t mask) {
    const std::uint64_t cleared = words_[word] & mask;
    words_[word] &= ~mask;
    if (words_[word] == 0) summary_[word / 64] &= ~bit(word % 64);
    return cleared;
  }

  bool has(std::uint64_t page) const {
    return (words_[page / 64] & bit(page % 64)) != 0;
  }

  // Asks for the word of a page that set() will write soon.
  [[gnu::always_inline]] void prefetch(std::uint64_t page) const {
    __builtin_prefetch(&words_[page / 64], 1);
  }

  // Calls visit(word_index, mask) for every word with a set bit, in order, and
  // clears it first.
  template <class Visit>
  void take(Visit visit) {
    for (std::size_t i = 0; i < summary_.size(); ++i) {
      for (; summary_[i] != 0; summary_[i] &= summary_[i] - 1) {
        const std::size_t word = i * 64 + std::countr_zero(summary_[i]);
        const std::uint64_t mask = words_[word];
        words_[word] = 0;
        visit(word, mask);
      }
    }
  }

  std::uint64_t count() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < summary_.size(); ++i) {
      for (std::uint64_t left = summary_[i]; left != 0; left &= left - 1) {
        const auto word = static_cast<std::size_t>(std::countr_zero(left));
        sum += static_cast<unsigned>(std::popcount(words_[i * 64 + word]));
      }
    }
    return sum;
  }

  const std::vector<std::uint64_t>& words() const { return words_; }

 private:
  std::vector<std::uint64_t> words_;
  std::vector<std::uint64_t> summary_;
};

}  // namespace mmu
