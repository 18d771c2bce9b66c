// The arena: one reserved stretch of address space from which table pages of
// both sizes are cut, addressed by 32-bit ids.
//
// A page never moves, so a reference stays good until the page is given back.
// Memory is committed ahead of need in huge-page chunks that grow with what is
// in use (an eighth of it, 2 MiB to 32 MiB; 64 KiB where the whole arena has
// no more than 2 MiB), so committed memory stays near the tables' own size and
// no fault of the host's lands in the middle of a walk. Pages come clean and go
// back clean: the owner empties what it used, which is cheaper than clearing
// what it did not.
//
// It knows sizes, not levels, and hands out nothing unless `ensure` was asked
// first: a caller learns that memory is short before it has changed anything.
#pragma once

#include <array>
#include <cstdint>

#include "core/lazy_memory.hpp"
#include "core/table_page.hpp"

namespace mmu {

class PagePool {
 public:
  // Reserves address space for `limit` bytes; commits almost nothing.
  static Result<PagePool> create(std::uint64_t limit);

  PagePool(PagePool&& other) noexcept { *this = std::move(other); }
  PagePool& operator=(PagePool&& other) noexcept;
  // Nothing is written above what was ever cut.
  ~PagePool() { memory_.give_back(used_ * kGranule); }

  // Whether this many pages of each size can be taken now. May commit. Asked
  // before every fault, so the common answer, "there is fresh memory for all
  // of them", is one comparison.
  bool ensure(unsigned full, unsigned compact) noexcept {
    const std::uint64_t most =
        full * kFullGranules + compact * kCompactGranules;
    if (used_ + most <= committed_) return true;
    const std::uint64_t granules =
        full_.granules_short_of(full) + compact_.granules_short_of(compact);
    return used_ + granules <= committed_ || grow(granules);
  }

  // After ensure(): a page whose entries are empty, its header not yet set.
  PageId take_full() noexcept { return take(full_); }
  PageId take_compact() noexcept { return take(compact_); }

  // Gives back a page whose entries are empty.
  void give_full(PageId id) noexcept { give(full_, id); }
  void give_compact(PageId id) noexcept { give(compact_, id); }

  FullPage& full(PageId id) const noexcept {
    return *reinterpret_cast<FullPage*>(address(id));
  }
  CompactPage& compact(PageId id) const noexcept {
    return *reinterpret_cast<CompactPage*>(address(id));
  }
  PageHeader& header(PageId id) const noexcept {
    return *reinterpret_cast<PageHeader*>(address(id));
  }

  // Calls visit(id) for the pages of one size that came back; for as many as
  // there should be, and no further than there are pages.
  template <class Visit>
  void for_each_free(bool compact, Visit visit) const {
    const Shelf& shelf = compact ? compact_ : full_;
    std::uint64_t left = shelf.spare;
    for (PageId id = shelf.free; left != 0 && id != kNoPage && id < used_;
         id = header(id).parent, --left) {
      visit(id);
    }
  }

  std::uint8_t* base() const noexcept { return base_; }
  std::uint64_t limit() const noexcept { return limit_ * kGranule; }
  // Pages of one size that are out, and that came back.
  std::uint64_t live(bool compact) const noexcept {
    return (compact ? compact_ : full_).live;
  }
  std::uint64_t spare(bool compact) const noexcept {
    return (compact ? compact_ : full_).spare;
  }
  // Granules ever cut: ids are below.
  std::uint64_t used() const noexcept { return used_; }
  // Bytes of pages that are out, and bytes backed by memory.
  std::uint64_t bytes_in_use() const noexcept {
    return (full_.live * kFullGranules + compact_.live * kCompactGranules) *
           kGranule;
  }
  std::uint64_t bytes_committed() const noexcept {
    return committed_ * kGranule;
  }

 private:
  static constexpr std::uint64_t kFullGranules = sizeof(FullPage) / kGranule;
  static constexpr std::uint64_t kCompactGranules =
      sizeof(CompactPage) / kGranule;

  // How many takes ahead a free page's lines are asked for.
  static constexpr unsigned kAhead = 8;
  // Pages of one size: those that came back, first in, last out.
  struct Shelf {
    std::uint64_t granules;
    PageId free = kNoPage;
    std::uint64_t spare = 0;  // on the free list
    std::uint64_t live = 0;   // out
    // Those given back last. A page's header keeps, in `gfn`, the one that came
    // back kAhead pages before it, which will be taken as much later.
    std::array<PageId, kAhead> recent{};
    unsigned turn = 0;

    std::uint64_t granules_short_of(std::uint64_t pages) const noexcept {
      return pages > spare ? (pages - spare) * granules : 0;
    }
  };

  explicit PagePool(LazyMemory memory) noexcept;

  std::uint8_t* address(PageId id) const noexcept {
    return base_ + (static_cast<std::uint64_t>(id) << kGranuleShift);
  }
  PageId take(Shelf& shelf) noexcept;
  void ask_for(const Shelf& shelf, PageId id) const noexcept;
  void give(Shelf& shelf, PageId id) noexcept;
  bool grow(std::uint64_t granules) noexcept;

  LazyMemory memory_;
  std::uint8_t* base_ = nullptr;
  std::uint64_t limit_ = 0;      // granules reserved
  std::uint64_t committed_ = 0;  // granules backed
  std::uint64_t used_ = 0;       // granules ever cut
  Shelf full_{kFullGranules};
  Shelf compact_{kCompactGranules};
};

}  // namespace mmu
