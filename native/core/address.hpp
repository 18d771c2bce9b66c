// Numbers that name memory, each with a type of its own.
//
// All of them are 64 bits wide, and mixing two up is how an MMU goes wrong
// quietly: an aliased frame that reaches a memslot lookup finds no slot, a
// canonical one that reaches a walk finds somebody else's entry. So there are
// two types of frame number. An AliasedGfn is what the guest put on the bus;
// walks, faults and trees use it. A Gfn has lost its alias bits; memslots,
// dirty logs and reports use it. Nothing converts one into the other but an
// alias strategy, and test/native/address_test.cpp holds the compiler to it.
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

// From `start` up to, and not with, `end`.
template <class N>
struct Range {
  N start;
  N end;

  constexpr bool empty() const { return end.value <= start.value; }
  constexpr std::uint64_t size() const { return end.value - start.value; }
  constexpr bool contains(N n) const { return !(n < start) && n < end; }
  constexpr bool overlaps(Range other) const {
    return start < other.end && other.start < end;
  }
  friend constexpr bool operator==(Range, Range) = default;
};

using GfnRange = Range<Gfn>;
using AliasedRange = Range<AliasedGfn>;
// All that an address can name, aliases included.
inline constexpr GfnRange kAllGfns{{0}, {bit(kMaxAddressBits - kPageShift)}};
inline constexpr AliasedRange kAllIssued{{0}, {kAllGfns.end.value}};

// Counted from the leaves, as PG_LEVEL_4K and its kin are: one more level is
// 512 times the memory an entry. From level 4 on there are no leaves.
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
