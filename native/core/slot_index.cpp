#include "core/slot_index.hpp"

#include <algorithm>
#include <bit>

#include "core/memslot.hpp"

namespace mmu {

void SlotIndex::reserve(std::size_t slots) {
  if (slots <= entries_.capacity()) return;
  entries_.reserve(std::bit_ceil(slots));
  last_in_.reserve(kCellsPerSlot * entries_.capacity());
}

void SlotIndex::build(
    std::span<const std::unique_ptr<Memslot>> slots) noexcept {
  asked_ = 0;
  due_ = slots.size() / 8;
  const std::size_t cells = kCellsPerSlot * std::bit_ceil(slots.size());
  if (slots.empty() || slots.size() > entries_.capacity() ||
      cells > last_in_.capacity()) {
    return;
  }
  entries_.clear();
  for (const auto& slot : slots) {
    const GfnRange range = slot->range;
    entries_.push_back({range.start.value, range.size(), slot.get()});
  }
  const std::uint64_t frames = slots.back()->range.end.value;
  shift_ = static_cast<unsigned>(std::bit_width((frames - 1) / cells));
  cells_ = ((frames - 1) >> shift_) + 1;
  last_in_.resize(cells_);
  std::uint32_t last = 0;
  for (std::uint64_t cell = 0; cell < cells_; ++cell) {
    const std::uint64_t end = (cell + 1) << shift_;
    while (last + 1 < entries_.size() && entries_[last + 1].start < end) ++last;
    last_in_[cell] = last;
  }
}

// The last one in [low, high] that begins at the frame or before; low if none
// does.
std::size_t SlotIndex::search(Gfn gfn, std::size_t low,
                              std::size_t high) const {
  const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(low);
  const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(high);
  const auto after = std::upper_bound(
      first, end, gfn.value,
      [](std::uint64_t frame, const Entry& at) { return frame < at.start; });
  const std::ptrdiff_t found = after - entries_.begin();
  return after == first ? low : static_cast<std::size_t>(found - 1);
}

}  // namespace mmu
