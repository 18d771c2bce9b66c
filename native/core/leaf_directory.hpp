// Where the full 4K-leaf tables of a tree lie, by the 2 MiB that each maps: a
// way to a leaf in two loads, beside the radix, which stays what is true.
//
// Law: an id is that of the table which a walk of the region ends in, or 0,
// which says nothing (test/native/page_table_test.cpp). 0 are compact
// tables, huge leaves, regions beyond those kept, and all of it when there was
// no memory to grow: nothing depends on it but speed.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/page_pool.hpp"

namespace mmu {

class LeafDirectory {
 public:
  static constexpr unsigned kFramesShift = 9;
  // 8 TiB of guest memory: 16 MiB of ids, if it is touched all over.
  static constexpr std::uint64_t kMostRegions = std::uint64_t{1} << 22;

  // The table of the region that holds the frame.
  PageId table_of(std::uint64_t frame) const noexcept {
    const std::uint64_t region = frame >> kFramesShift;
    return region < size_ ? ids_.get()[region] : kNoPage;
  }

  void put(std::uint64_t frame, PageId table) noexcept {
    const std::uint64_t region = frame >> kFramesShift;
    if (region >= size_ && (table == kNoPage || !grow(region))) return;
    ids_.get()[region] = table;
  }

 private:
  struct Free {
    void operator()(PageId* ids) const noexcept { std::free(ids); }
  };
  static constexpr std::uint64_t kFirst = 512;

  // From calloc, which clears no page before it is touched.
  bool grow(std::uint64_t region) noexcept {
    if (region >= kMostRegions) return false;
    const std::uint64_t size = std::bit_ceil(std::max(region + 1, kFirst));
    auto* const ids = static_cast<PageId*>(std::calloc(size, sizeof(PageId)));
    if (ids == nullptr) return false;
    if (size_ != 0) std::memcpy(ids, ids_.get(), size_ * sizeof(PageId));
    ids_.reset(ids);
    size_ = size;
    return true;
  }

  std::unique_ptr<PageId, Free> ids_;
  std::uint64_t size_ = 0;
};

}  // namespace mmu
