// The list of a hypercall that flushes guest pages by range: its entries, and
// how much of a range one call can take.
//
// An entry is 8 bytes: in bits 10:0 how many pages follow its first, in bit 11
// whether they are large, which nobody asks for here, above that the first
// page's frame.
//
// KVM: hyperv_fill_flush_guest_mapping_list(), union
// hv_gpa_page_range (v6.16).
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/address.hpp"

namespace mmu::hyperv {

// What is left of a page behind a header of 16 bytes.
inline constexpr std::uint64_t kMostEntries = (4096 - 16) / 8;
inline constexpr std::uint64_t kMorePagesBits = 11;
inline constexpr std::uint64_t kPagesOfEntry = bit(kMorePagesBits);
inline constexpr std::uint64_t kMostPages = kMostEntries * kPagesOfEntry;

constexpr std::uint64_t entries_for(std::uint64_t pages) {
  return pages / kPagesOfEntry + (pages % kPagesOfEntry != 0);
}
constexpr bool fits(std::uint64_t pages) {
  return entries_for(pages) <= kMostEntries;
}

// From 1 to kPagesOfEntry pages.
constexpr std::uint64_t entry(AliasedGfn first, std::uint64_t pages) {
  return first.value << kPageShift | (pages - 1);
}

// Calls put(entry) for every entry of the range, in order. False, and none, if
// they are more than a list holds; KVM: -ENOSPC.
template <class Put>
constexpr bool fill(AliasedRange range, Put put) {
  if (!fits(range.size())) return false;
  for (AliasedGfn at = range.start; at < range.end;) {
    const std::uint64_t pages =
        std::min(range.end.value - at.value, kPagesOfEntry);
    put(entry(at, pages));
    at.value += pages;
  }
  return true;
}

}  // namespace mmu::hyperv
