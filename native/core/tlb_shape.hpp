// What a TLB is made of, as a configuration says it: values, and the law that
// they keep. Which real parts have what is lib/config/tlb-presets.ts' affair.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/error.hpp"

namespace mmu {

// One set-associative array, true LRU.
struct TlbGeometry {
  static constexpr unsigned kMostWays = 64;
  static constexpr unsigned kMostEntries = 1u << 20;
  // Page sizes, as bits.
  static constexpr unsigned k4K = 1;
  static constexpr unsigned k2M = 2;
  static constexpr unsigned k1G = 4;

  // By default as the second-level TLB of Skylake.
  unsigned entries = 1536;
  unsigned ways = 12;
  unsigned sizes = k4K;

  // Any number, not only powers of two.
  constexpr unsigned sets() const { return entries / ways; }
  constexpr bool holds(unsigned size) const { return (sizes & size) != 0; }
};

// A vCPU's TLB: arrays for leaves, and fully associative caches of links, by
// the level of the table that has the link, from level 2 (PDE) to 5 (PML5E).
struct TlbShape {
  static constexpr std::size_t kMostArrays = 8;
  static constexpr unsigned kMostLinks = TlbGeometry::kMostWays;

  std::vector<TlbGeometry> arrays{};  // none: no TLB is modelled
  std::array<unsigned, 4> links{};

  // One array of 4K entries, or none.
  static TlbShape small(unsigned entries, unsigned ways = 12) {
    if (entries == 0) return {};
    return {.arrays = {{.entries = entries, .ways = ways}}};
  }

  bool exists() const { return !arrays.empty(); }
  bool has_links() const { return links != std::array<unsigned, 4>{}; }
  // Entries of one vCPU, links included.
  std::uint64_t entries() const;
};

// Why there can be no such TLB: kConfig.
std::optional<Error> refuse_shape(const TlbShape& shape);

}  // namespace mmu
