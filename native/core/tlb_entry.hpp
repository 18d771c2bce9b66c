// One thing that a vCPU remembers, and where in its TLB it can be.
//
// Values alone: who looks them up and throws them out is tlb.hpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/address.hpp"
#include "core/tlb_shape.hpp"

namespace mmu {

// What an entry is of: a leaf that is held as a page of 4K, 2M or 1G, or a
// link in a table of level 2, 3, 4 or 5.
using TlbKind = std::uint8_t;
inline constexpr TlbKind kLeafKinds = 3;
inline constexpr TlbKind kTlbKinds = 7;

constexpr TlbKind leaf_kind(Level size) {
  return static_cast<TlbKind>(number_of(size) - 1);
}
constexpr TlbKind link_kind(Level level) {
  return static_cast<TlbKind>(number_of(level) + 1);
}
constexpr bool is_link_kind(TlbKind kind) { return kind >= kLeafKinds; }
// The level whose entries cover what an entry of that kind covers.
constexpr Level span_of(TlbKind kind) {
  return level_of(is_link_kind(kind) ? kind - 1u : kind + 1u);
}

// Callers may change rights and pfn in place.
struct TlbEntry {
  AliasedGfn gfn;  // the first that it covers
  // Of the first frame; of a link, what structure_cache.cpp notes of it.
  Pfn pfn;
  std::uint64_t last_use = 0;
  std::uint32_t incarnation = 0;
  std::uint8_t root = 0;
  std::uint8_t rights = 0;  // bits of the access column: R 1, W 2, X 4
  std::uint8_t level : 4 = 0;
  TlbKind kind : 4 = 0;
  bool overdue = false;  // Tlb::owe()

  AliasedRange frames() const {
    return {gfn, {gfn.value + pages_per(span_of(kind))}};
  }
  // Of all of the leaf that it is from, or a part of.
  AliasedRange leaf_frames() const {
    const Level size = std::max(level_of(level), span_of(kind));
    const AliasedGfn first = round_down(gfn, size);
    return {first, {first.value + pages_per(size)}};
  }
  bool is_part() const { return level > number_of(span_of(kind)); }
  Pfn pfn_of(AliasedGfn issued) const {
    return {pfn.value + (issued.value - gfn.value)};
  }
};
static_assert(sizeof(TlbEntry) == 32);

// Where entries of one kind may be: sets of one array, or of several one after
// the other, as where one array has 4K and 2M, another 4K and 1G.
struct TlbPlaces {
  struct Part {
    std::uint32_t first = 0;  // its first entry
    std::uint32_t sets = 0;
    std::uint32_t ways = 0;
  };
  unsigned shift = 0;  // of a frame number
  std::uint32_t sets = 0;
  // One less than that, if it is a power of two and one array's; else 0.
  std::uint64_t mask = 0;
  std::array<Part, TlbShape::kMostArrays> parts{};
};

// The shape of every vCPU's TLB, as a lookup wants it.
struct TlbLayout {
  explicit TlbLayout(const TlbShape& shape);

  std::uint64_t entries;
  bool keeps_links;
  std::array<TlbPlaces, kTlbKinds> places{};

 private:
  void add(TlbKind kind, TlbPlaces::Part part);
};

}  // namespace mmu
