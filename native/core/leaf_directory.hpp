// Where the 4K-leaf tables of a tree lie, by the 2 MiB that each maps: a way
// to a leaf in two loads, beside the radix, which stays what is true.
//
// Law: an id is that of the table which a walk of the region ends in, in the
// shape it is asked for, or 0, which says nothing
// (test/native/page_table_test.cpp). 0 are huge leaves and regions that there
// was no memory to note: nothing depends on it but speed.
//
// Regions lie in stretches of 8 TiB, each with room up to the highest region
// that has a table: aliases, which differ in high bits, have stretches of
// their own. 4 bytes a region: one bit says which shape, which leaves ids for
// 128 GiB of tables; those beyond are not noted.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "core/page_pool.hpp"

namespace mmu {

// An id and its shape.
struct LeafTable {
  static constexpr PageId kCompact = PageId{1} << 31;

  PageId word = kNoPage;

  // Without a branch: whoever asks does so for every row.
  constexpr PageId full() const { return word & ((word >> 31) - 1); }
  constexpr PageId compact() const {
    return (word & kCompact) != 0 ? word ^ kCompact : kNoPage;
  }
};

struct LeafStretch {
  LeafTable* tables = nullptr;
  std::uint64_t size = 0;
};

// Those of a directory, to look into; good until the next put.
class LeafStretches {
 public:
  static constexpr unsigned kFramesShift = 9;
  static constexpr unsigned kStretchShift = 22;
  static constexpr std::size_t kCount = std::size_t{1}
                                        << (40 - kFramesShift - kStretchShift);

  explicit LeafStretches(const LeafStretch* all) : all_(all) {}

  LeafTable at(std::uint64_t frame) const noexcept {
    const LeafStretch& in = all_[stretch_of(frame)];
    const std::uint64_t place = place_of(frame);
    return place < in.size ? in.tables[place] : LeafTable{};
  }

  // Inlined by force: GCC drops a call that does nothing else.
  [[gnu::always_inline]] void ask(std::uint64_t frame) const noexcept {
    const LeafStretch& in = all_[stretch_of(frame)];
    const std::uint64_t place = place_of(frame);
    if (place < in.size) __builtin_prefetch(in.tables + place);
  }

  // Of a frame of at most 40 bits: which stretch, and where in it.
  static std::size_t stretch_of(std::uint64_t frame) {
    return frame >> (kFramesShift + kStretchShift);
  }
  static std::uint64_t place_of(std::uint64_t frame) {
    return frame >> kFramesShift & ((std::uint64_t{1} << kStretchShift) - 1);
  }

 private:
  const LeafStretch* all_;
};

class LeafDirectory {
 public:
  LeafStretches stretches() const noexcept {
    return LeafStretches(all_ ? all_.get() : kNone);
  }

  void put(std::uint64_t frame, PageId table, bool compact) noexcept {
    const bool fits = table < LeafTable::kCompact;
    put(frame, {fits ? table | (compact ? LeafTable::kCompact : 0) : kNoPage});
  }
  // That there is this table, in either shape.
  void forget(std::uint64_t frame, PageId table) noexcept {
    const LeafTable known = stretches().at(frame);
    if ((known.full() | known.compact()) == table) put(frame, LeafTable{});
  }

  LeafDirectory() = default;
  LeafDirectory(LeafDirectory&&) noexcept = default;
  LeafDirectory& operator=(LeafDirectory&&) noexcept = default;
  ~LeafDirectory() {
    for (std::size_t i = 0; all_ && i < LeafStretches::kCount; ++i) {
      std::free(all_[i].tables);
    }
  }

 private:
  struct Free {
    void operator()(LeafStretch* all) const noexcept { std::free(all); }
  };
  static constexpr std::uint64_t kFirst = 512;
  static constexpr std::uint64_t kMostCopied = std::uint64_t{1} << 16;
  static constexpr LeafStretch kNone[LeafStretches::kCount]{};

  void put(std::uint64_t frame, LeafTable table) noexcept {
    const std::uint64_t place = LeafStretches::place_of(frame);
    const bool is_known = table.word != kNoPage;
    if (!all_ && !(is_known && begin())) return;
    LeafStretch& in = all_[LeafStretches::stretch_of(frame)];
    if (place >= in.size && !(is_known && grow(in, place))) return;
    in.tables[place] = table;
  }

  bool begin() noexcept {
    all_.reset(static_cast<LeafStretch*>(
        std::calloc(LeafStretches::kCount, sizeof(LeafStretch))));
    return all_ != nullptr;
  }

  // From calloc, which clears no page before it is touched. Beyond a size that
  // is quickly copied the whole stretch at once: a copy touches every page of
  // what it copies, in a guest all over 52 bits gigabytes of nothing.
  static bool grow(LeafStretch& in, std::uint64_t place) noexcept {
    const std::uint64_t least = std::bit_ceil(std::max(place + 1, kFirst));
    const std::uint64_t size =
        least <= kMostCopied ? least
                             : std::uint64_t{1} << LeafStretches::kStretchShift;
    auto* const tables =
        static_cast<LeafTable*>(std::calloc(size, sizeof(LeafTable)));
    if (tables == nullptr) return false;
    std::copy_n(in.tables, in.size, tables);
    std::free(in.tables);
    in = {tables, size};
    return true;
  }

  std::unique_ptr<LeafStretch[], Free> all_;
};

}  // namespace mmu
