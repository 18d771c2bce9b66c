// Frames of a slot whose writes somebody watches, with how many watch each.
//
// Kept as the edges between stretches of equal count, so that a slot that
// nobody watches has none, and watching a terabyte costs what a page does.
//
// Law: the last stretch is 0 (test/native/write_track_test.cpp).
//
// KVM: gfn_write_track, kvm_gfn_is_write_tracked(), page_track.c (v6.16).
#pragma once

#include <map>

#include "core/address.hpp"

namespace mmu {

class WriteTrack {
 public:
  using Count = std::uint16_t;

  bool empty() const noexcept { return edges_.empty(); }
  bool contains(Gfn gfn) const noexcept { return !empty() && count(gfn) != 0; }
  // Whether a frame of the range is watched.
  bool meets(GfnRange range) const noexcept;
  Count count(Gfn gfn) const noexcept;
  // Watchers of all the frames of a range together.
  std::uint64_t sum(GfnRange range) const noexcept;

  // From here on add() and remove() of this range cannot fail. Nothing that can
  // be asked has changed.
  void make_room(GfnRange range);
  // One more watcher for every frame, but for those that have the most there
  // can be. Where memory runs out nothing has changed.
  void add(GfnRange range);
  // One less, but for those that have none.
  void remove(GfnRange range);

  // Where the count changes, and to what.
  template <class Add>
  void each_word(Add add) const {
    Count before = 0;
    for (const auto& [gfn, count] : edges_) {
      if (count == before) continue;
      add(gfn.value);
      add(before = count);
    }
  }

 private:
  using Edges = std::map<Gfn, Count>;  // the count from here on

  Edges::iterator cut_at(Gfn gfn);
  template <class Change>
  void change(GfnRange range, Change change);

  Edges edges_;
};

}  // namespace mmu
