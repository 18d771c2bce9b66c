// The 4K leaves of a stretch of one full table changed at once: what range
// operations do, a cache line at a time and without a branch for each entry.
//
// Why that is what one after the other comes to: such a change looks at one
// entry alone, KVM goes through them in the order of their frames, and all that
// is kept of them is how many changed and the smallest range that holds those
// which lost something. test/native/leaf_run_test.cpp holds both to each
// other. Entries are in stored form.
#pragma once

#include <cstdint>

#include "core/cached_rights.hpp"
#include "core/table_page.hpp"

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

// Of entries [from, end). A line of them that nothing changes in is not
// written.
template <class Change>
LeafRun change_leaves(std::uint64_t* entries, unsigned from, unsigned end,
                      const Change change) {
  constexpr unsigned kLine = kGranule / sizeof(std::uint64_t);
  LeafRun run;
  while (from < end && !change.takes(entries[from])) ++from;
  if (from == end) return run;
  while (!change.takes(entries[end - 1])) --end;
  run = {.first = from, .last = end - 1};
  const auto change_one = [&](unsigned i) {
    const std::uint64_t now = change.now(entries[i]);
    run.changed += entries[i] != now;
    entries[i] = now;
  };
  for (; from < end && from % kLine != 0; ++from) change_one(from);
  for (; from + kLine <= end; from += kLine) {
    std::uint64_t* const line = entries + from;
    std::uint64_t changed = 0;
    std::uint64_t now[kLine];
    for (unsigned i = 0; i < kLine; ++i) {
      now[i] = change.now(line[i]);
      changed += line[i] != now[i];
    }
    if (changed == 0) continue;
    run.changed += changed;
    for (unsigned i = 0; i < kLine; ++i) line[i] = now[i];
  }
  for (; from < end; ++from) change_one(from);
  return run;
}

}  // namespace mmu
