// The 4K leaves of a stretch of one full table changed at once: what range
// operations do, in vectors and without a branch for each entry.
//
// Why that is what one after the other comes to: such a change looks at one
// entry alone, KVM goes through them in the order of their frames, and all that
// is kept of them is how many changed and the smallest range that holds those
// which lost something. test/native/leaf_run_test.cpp holds both to each
// other. Entries are in stored form.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/cached_rights.hpp"
#include "core/table_page.hpp"
#include "core/vector_path.hpp"

namespace mmu {

struct LeafRun {
  std::uint64_t changed = 0;
  // The first and the last that lost something; none if first > last.
  unsigned first = kEntries;
  unsigned last = 0;
};

// A change has `takes(word)`, whether anything that may be cached of the entry
// goes, and `now(word)`, what the entry becomes; where nothing goes, nothing
// changes.
class ZapLeaf {
 public:
  static constexpr bool kZaps = true;

  bool takes(std::uint64_t word) const {
    return (word & ept::kMmuPresent) != 0;
  }
  std::uint64_t now(std::uint64_t word) const { return takes(word) ? 0 : word; }
};

// Bits of leaves that have none of `keep`. By a mask: which leaves have them
// cannot be guessed. That a leaf is there can, so ZapLeaf asks.
class TakeBits {
 public:
  static constexpr bool kZaps = false;

  TakeBits(std::uint64_t bits, std::uint64_t keep) : bits_(bits), keep_(keep) {}

  bool takes(std::uint64_t word) const {
    const bool has_more = may_be_cached_with_more(from_stored(word));
    return acts(word) & (((word & bits_) != 0) | has_more);
  }
  std::uint64_t now(std::uint64_t word) const {
    return word & ~(bits_ & -std::uint64_t{acts(word)});
  }

 private:
  bool acts(std::uint64_t word) const {
    return (word & (ept::kMmuPresent | keep_)) == ept::kMmuPresent;
  }

  std::uint64_t bits_;
  std::uint64_t keep_;
};

// Entries [from, end), a stripe of lines at a time: what will change is
// counted, and if anything does, the stripe is written. No branch an entry, so
// that a compiler makes vectors of both; a question for every line instead
// keeps GCC 12 from that, at 0.55 ns an entry rather than 0.2.
template <class Change>
class LeafStripes {
 public:
  LeafStripes(std::uint64_t* entries, Change change)
      : entries_(entries), change_(change) {}

  [[gnu::always_inline]] LeafRun over(unsigned from, unsigned end) const {
    while (from < end && !change_.takes(entries_[from])) ++from;
    if (from == end) return {};
    while (!change_.takes(entries_[end - 1])) --end;
    LeafRun run{.first = from, .last = end - 1};
    while (from < end) {
      const unsigned next = std::min(end, (from | (kStripe - 1)) + 1);
      const std::uint64_t changed = count(from, next);
      if (changed != 0) write(from, next);
      run.changed += changed;
      from = next;
    }
    return run;
  }

 private:
  static constexpr unsigned kStripe = 64;

  [[gnu::always_inline]] std::uint64_t count(unsigned from,
                                             unsigned end) const {
    std::uint64_t changed = 0;
    for (; from < end; ++from) {
      changed += entries_[from] != change_.now(entries_[from]);
    }
    return changed;
  }

  [[gnu::always_inline]] void write(unsigned from, unsigned end) const {
    for (; from < end; ++from) entries_[from] = change_.now(entries_[from]);
  }

  std::uint64_t* const entries_;
  const Change change_;
};

// Of entries [from, end).
template <class Change>
LeafRun change_leaves(std::uint64_t* entries, unsigned from, unsigned end,
                      const Change change, VectorPath path) {
  return on_path(path, [=]() __attribute__((always_inline)) {
    return LeafStripes(entries, change).over(from, end);
  });
}

}  // namespace mmu
