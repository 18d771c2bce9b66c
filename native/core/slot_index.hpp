// Which memslot may back a frame, in two loads: the frames of a set cut into
// equal cells, and of each cell the last slot that begins in it or before.
//
// Law: it finds what a binary search over the sorted slots finds
// (test/native/slot_index_test.cpp). There are four cells a slot or more, so
// that nearly every cell has one answer; where slots crowd together the cell
// says between which of them to search.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/address.hpp"

namespace mmu {

struct Memslot;

class SlotIndex {
 public:
  // From here on building it for so many slots cannot fail.
  void reserve(std::size_t slots);
  // The slots have changed.
  void forget() { cells_ = 0; }
  bool is_built() const { return cells_ != 0; }
  // Whether enough was asked since forget() for building to pay.
  bool is_due() { return ++asked_ > due_; }
  // Of slots in frame order. Nothing, where there was no reserve() for them.
  void build(std::span<const std::unique_ptr<Memslot>> slots) noexcept;

  // The slot that the frame lies in, or null. Once it is built.
  Memslot* find(Gfn gfn) const {
    const std::uint64_t cell = gfn.value >> shift_;
    if (cell >= cells_) return nullptr;
    std::size_t at = last_in_[cell];
    if (entries_[at].start > gfn.value) [[unlikely]] {
      at = search(gfn, cell == 0 ? 0 : last_in_[cell - 1], at);
    }
    const Entry& entry = entries_[at];
    return gfn.value - entry.start < entry.frames ? entry.slot : nullptr;
  }

 private:
  struct Entry {
    std::uint64_t start;
    std::uint64_t frames;
    Memslot* slot;
  };
  static constexpr std::size_t kCellsPerSlot = 4;

  std::size_t search(Gfn gfn, std::size_t low, std::size_t high) const;

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> last_in_;
  std::uint64_t cells_ = 0;  // none until it is built
  unsigned shift_ = 0;
  std::size_t asked_ = 0;
  std::size_t due_ = 0;
};

}  // namespace mmu
