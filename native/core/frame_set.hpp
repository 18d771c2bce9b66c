// A set of canonical frames, kept as the intervals that it consists of.
//
// It costs what its edges cost: a private half of memory is one interval. It
// does not know what its frames have in common.
//
// Law: intervals are not empty and no two of them touch
// (test/native/frame_set_test.cpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include "core/address.hpp"

namespace mmu {

class FrameSet {
 public:
  bool contains(Gfn gfn) const noexcept {
    return covers({gfn, {gfn.value + 1}});
  }
  // Whether all frames of the range are in the set; of none, they are.
  bool covers(GfnRange range) const noexcept;
  // Whether one of them is.
  bool meets(GfnRange range) const noexcept;
  // Frames of the range that are in the set.
  std::uint64_t count_in(GfnRange range) const noexcept;
  // Frames of the set.
  std::uint64_t size() const noexcept { return size_; }

  // Where memory runs out the set stays as it was.
  void add(GfnRange range);
  void remove(GfnRange range);

  // Calls visit(GfnRange) for the parts of the range that are in the set, in
  // order, no two of which touch.
  template <class Visit>
  void for_each_in(GfnRange range, Visit visit) const {
    if (range.empty()) return;
    for (auto at = first_ending_above(range.start);
         at != intervals_.end() && at->first < range.end; ++at) {
      visit(GfnRange{std::max(at->first, range.start),
                     std::min(at->second, range.end)});
    }
  }
  // The same for the parts that are not.
  template <class Visit>
  void for_each_gap(GfnRange range, Visit visit) const {
    Gfn from = range.start;
    for_each_in(range, [&](GfnRange part) {
      if (from < part.start) visit(GfnRange{from, part.start});
      from = part.end;
    });
    if (from < range.end) visit(GfnRange{from, range.end});
  }

 private:
  using Intervals = std::map<Gfn, Gfn>;  // start to end

  // The first interval that has a frame at or above `gfn`.
  Intervals::const_iterator first_ending_above(Gfn gfn) const noexcept;

  Intervals intervals_;
  std::uint64_t size_ = 0;
};

}  // namespace mmu
