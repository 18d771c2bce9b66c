// Guest addresses and frame numbers, one type per meaning.
//
// A gpa is a byte address of at most 52 bits; a gfn is that address without
// its 12 offset bits. A gfn comes in two forms that must never meet:
//
//   AliasedGfn  as the guest issued it, alias bits included. Faults, paging
//               trees and TLB entries speak this form.
//   Gfn         canonical: alias bits cleared. Memslots, dirty logs and
//               reports speak this form.
//
// Underneath both are 64-bit integers, so a bare integer type would let them
// meet, which is how a memslot lookup once missed an aliased page. Here it
// does not compile (test/native/address_test.cpp proves it). The only
// conversions are the ones that an AliasStrategy makes.
#pragma once

#include <compare>
#include <cstdint>

#include "core/bits.hpp"

namespace mmu {

inline constexpr unsigned kPageShift = 12;
inline constexpr std::uint64_t kPageSize = bit(kPageShift);
inline constexpr unsigned kIndexBits = 9;
inline constexpr unsigned kEntries = 1u << kIndexBits;
inline constexpr unsigned kMaxAddressBits = 52;

// A number that counts something, tagged by what it counts.
template <class Tag>
struct Number {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(Number, Number) = default;
};

using Gpa = Number<struct GpaTag>;
using Hva = Number<struct HvaTag>;
using Pfn = Number<struct PfnTag>;
using Gfn = Number<struct CanonicalTag>;
using AliasedGfn = Number<struct AliasedTag>;

// A gpa as issued: the frame it names still carries its alias bits.
constexpr AliasedGfn gfn_of(Gpa gpa) { return {gpa.value >> kPageShift}; }
constexpr Gpa gpa_of(Gfn gfn) { return {gfn.value << kPageShift}; }
constexpr Gpa gpa_of(AliasedGfn gfn) { return {gfn.value << kPageShift}; }

// Half-open: `end` is the first number past the range.
template <class N>
struct Range {
  N start;
  N end;

  constexpr std::uint64_t size() const { return end.value - start.value; }
  constexpr bool empty() const { return end.value <= start.value; }
  constexpr bool contains(N n) const { return start <= n && n < end; }
  constexpr bool overlaps(Range other) const {
    return start < other.end && other.start < end;
  }
  friend constexpr bool operator==(Range, Range) = default;
};

using GfnRange = Range<Gfn>;
using AliasedRange = Range<AliasedGfn>;

// KVM's numbering: a level-N entry spans 512^(N-1) pages. Levels 4 and 5 only
// ever hold links to lower tables.
enum class Level : std::uint8_t { kNone = 0, k4K, k2M, k1G, k512G, k256T };

inline constexpr Level kMaxHugeLevel = Level::k1G;

constexpr unsigned number_of(Level level) {
  return static_cast<unsigned>(level);
}
constexpr Level level_of(unsigned number) { return static_cast<Level>(number); }
constexpr Level below(Level level) { return level_of(number_of(level) - 1); }
constexpr Level above(Level level) { return level_of(number_of(level) + 1); }

constexpr unsigned index_shift(Level level) {
  return kIndexBits * (number_of(level) - 1);
}

constexpr std::uint64_t pages_per(Level level) {
  return bit(index_shift(level));
}

constexpr unsigned table_index(AliasedGfn gfn, Level level) {
  return static_cast<unsigned>(gfn.value >> index_shift(level)) &
         (kEntries - 1);
}

// The first frame of the level-`level` entry that holds `n`.
template <class N>
constexpr N round_down(N n, Level level) {
  return {n.value & ~(pages_per(level) - 1)};
}

static_assert(pages_per(Level::k1G) << kPageShift == bit(30));
static_assert(table_index(AliasedGfn{512}, Level::k2M) == 1);
// GPA bit 51 selects entry 8 of a five-level root.
static_assert(table_index(gfn_of(Gpa{bit(51)}), Level::k256T) == 8);

}  // namespace mmu
