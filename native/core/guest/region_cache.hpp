// Where the last table lies for stretches of 2 MiB of guest-virtual addresses
// that were walked before, and what the entries above it grant.
//
// Direct-mapped. True for as long as no entry above a last table can change,
// but for marks that are made already: for one batch of walks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/bits.hpp"

namespace mmu {

class RegionCache {
 public:
  static constexpr unsigned kShift = 21;
  // 128 KiB, which second caches hold; a table for each region of 16 GiB.
  static constexpr std::size_t kPlaces = 8192;

  // A table's place, and in the bits that its start leaves free what is
  // granted above it. Of a region that is not known: a table in which nothing
  // is present, so that who looks there need not ask first.
  class Known {
   public:
    explicit Known(std::uint64_t word = no_table()) : word_(word) {}
    explicit operator bool() const noexcept { return word_ != no_table(); }
    std::uint64_t word() const noexcept { return word_; }
    const std::byte* table() const noexcept {
      return reinterpret_cast<const std::byte*>(word_ & ~kRights);
    }
    // kGrants* bits.
    unsigned granted() const noexcept {
      return static_cast<unsigned>(word_ & kRights);
    }

   private:
    static constexpr std::uint64_t kRights = 7;
    std::uint64_t word_;
  };

  RegionCache() : places_(kPlaces) {}

  Known find(std::uint64_t gva) const noexcept {
    const std::uint64_t region = gva >> kShift;
    const Place& place = places_[region % kPlaces];
    return Known(place.region == region ? place.known : no_table());
  }
  // `granted`: kGrants* bits.
  Known note(std::uint64_t gva, const std::byte* table,
             unsigned granted) noexcept {
    const std::uint64_t region = gva >> kShift;
    const Known known(reinterpret_cast<std::uintptr_t>(table) | granted);
    places_[region % kPlaces] = {region, known.word()};
    return known;
  }

 private:
  struct Place {
    std::uint64_t region = ~std::uint64_t{0};  // of no address
    std::uint64_t known = 0;
  };

  alignas(4096) static constexpr std::array<std::byte, 4096> kNoTable{};
  static std::uint64_t no_table() noexcept {
    return reinterpret_cast<std::uintptr_t>(kNoTable.data());
  }

  std::vector<Place> places_;
};

}  // namespace mmu
