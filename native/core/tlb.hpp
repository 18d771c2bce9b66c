// What each vCPU remembers of earlier walks: set-associative, true LRU.
//
// An entry is found by the frame as issued, the root, and the incarnation of
// the root, so that a root that was dropped takes its entries with it without
// a flush: nobody can ask for them any more, and LRU wears them out. What an
// entry's rights allow, and whether it should still be there, is the caller's
// affair.
//
// Law: the entries in use are those whose tag is not 0, a tag says what its
// entry's gfn and root are, and no two of a set have gfn, root and incarnation
// in common (test/native/tlb_test.cpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/address.hpp"
#include "core/lazy_array.hpp"

namespace mmu {

struct TlbGeometry {
  static constexpr unsigned kMostWays = 64;
  static constexpr unsigned kMostEntries = 1u << 20;

  // By default as the second-level TLB of Skylake.
  unsigned entries = 1536;
  unsigned ways = 12;

  // Any number, not only powers of two.
  constexpr unsigned sets() const { return entries / ways; }
};

// Callers may change rights, level, overdue and pfn in place.
struct TlbEntry {
  AliasedGfn gfn;
  Pfn pfn;  // of this very frame, whatever the leaf's level
  std::uint64_t last_use = 0;
  std::uint32_t incarnation = 0;
  std::uint8_t root = 0;
  std::uint8_t rights = 0;  // bits of the access column: R 1, W 2, X 4
  std::uint8_t level = 0;
  bool overdue = false;
};
static_assert(sizeof(TlbEntry) == 32);

// One vCPU's. Its memory belongs to the TlbSet that it is part of.
class Tlb {
 public:
  Tlb(TlbGeometry geometry, std::uint64_t* tags, TlbEntry* entries);

  // Null where it has none. Does not count as a use.
  TlbEntry* lookup(std::uint8_t root, std::uint32_t incarnation,
                   AliasedGfn gfn) noexcept {
    const std::uint64_t wanted = tag_of(root, gfn);
    const unsigned first = first_of(gfn);
    for (unsigned at = first; at < first + ways_; ++at) {
      if (tags_[at] == wanted && entries_[at].incarnation == incarnation) {
        return &entries_[at];
      }
    }
    return nullptr;
  }
  // Makes it the most recently used of its set.
  void touch(TlbEntry& entry) noexcept { entry.last_use = ++clock_; }

  // Puts the entry in place of the one with the same gfn, root and
  // incarnation, of an unused one, or of the least recently used of its set.
  // It counts as used now.
  TlbEntry& insert(const TlbEntry& entry) noexcept;

  void remove(TlbEntry& entry) noexcept {
    tags_[&entry - entries_] = kUnused;
    --used_;
  }
  void flush_all() noexcept;
  // Of every root and incarnation, whatever is in the range as issued.
  void flush_range(AliasedRange range) noexcept {
    for_each_in(range, [this](TlbEntry& entry) { remove(entry); });
  }

  // Calls visit(entry) for every entry in the range as issued, of every root
  // and incarnation; visit may remove that entry. Looks at no more sets than
  // the range has frames.
  template <class Visit>
  void for_each_in(AliasedRange range, Visit visit) {
    if (range.empty()) return;
    const std::uint64_t width = std::min<std::uint64_t>(range.size(), sets_);
    unsigned unseen = used_;
    for (std::uint64_t i = 0; i < width && unseen != 0; ++i) {
      // Any `sets_` frames in a row lie in as many different sets.
      const unsigned first = first_of({range.start.value + i});
      for (unsigned at = first; at < first + ways_; ++at) {
        if (tags_[at] == kUnused) continue;
        --unseen;
        if (range.contains(gfn_of(tags_[at]))) visit(entries_[at]);
      }
    }
  }
  template <class Visit>
  void for_each(Visit visit) {
    for_each_in({{0}, {bit(kMaxAddressBits - kPageShift)}}, visit);
  }

  unsigned used() const noexcept { return used_; }

 private:
  static constexpr std::uint64_t kUnused = 0;

  static constexpr std::uint64_t tag_of(std::uint8_t root, AliasedGfn gfn) {
    return gfn.value << 9 | std::uint64_t{root} << 1 | 1;
  }
  // The tag has it too, and an entry is a cache line further on.
  static constexpr AliasedGfn gfn_of(std::uint64_t tag) { return {tag >> 9}; }
  unsigned first_of(AliasedGfn gfn) const noexcept {
    const std::uint64_t set =
        power_of_two_ ? gfn.value & (sets_ - 1) : gfn.value % sets_;
    return static_cast<unsigned>(set) * ways_;
  }
  TlbEntry& victim_of(AliasedGfn gfn) noexcept;

  // Apart from the entries: a set's tags fill two cache lines, not six.
  std::uint64_t* tags_;
  TlbEntry* entries_;
  std::uint64_t clock_ = 0;
  unsigned sets_;
  unsigned ways_;
  unsigned used_ = 0;
  bool power_of_two_;
};
// A frame number leaves room for the rest of a tag.
static_assert(kMaxAddressBits - kPageShift + 9 <= 64);

// Those of all vCPUs.
class TlbSet {
 public:
  // kConfig for a geometry of no sense; kOutOfMemory where the host refuses.
  static Result<TlbSet> create(TlbGeometry geometry, unsigned vcpus);
  // One more vCPU's.
  std::optional<Error> add(TlbGeometry geometry, unsigned vcpus = 1);

  Tlb& operator[](unsigned vcpu) noexcept { return tlbs_[vcpu]; }
  unsigned vcpus() const noexcept {
    return static_cast<unsigned>(tlbs_.size());
  }

  void flush_all() noexcept {
    for (Tlb& tlb : tlbs_) tlb.flush_all();
  }
  void flush_range(AliasedRange range) noexcept {
    for (Tlb& tlb : tlbs_) tlb.flush_range(range);
  }
  // visit(entry), as Tlb's, on one vCPU after the other.
  template <class Visit>
  void for_each_in(AliasedRange range, Visit visit) {
    for (Tlb& tlb : tlbs_) tlb.for_each_in(range, visit);
  }
  template <class Visit>
  void for_each(Visit visit) {
    for (Tlb& tlb : tlbs_) tlb.for_each(visit);
  }

 private:
  // Of vCPUs that were made together.
  struct Block {
    LazyArray<std::uint64_t> tags;
    LazyArray<TlbEntry> entries;
  };
  std::vector<Block> blocks_;
  std::vector<Tlb> tlbs_;
};

}  // namespace mmu
