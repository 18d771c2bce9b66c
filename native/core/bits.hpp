// Bit masks by position, checked at compile time where the position is known.
//
// Ranges are inclusive and written high to low, as the manuals write them.
#pragma once

#include <cstdint>

namespace mmu {

constexpr std::uint64_t bit(unsigned n) { return std::uint64_t{1} << n; }

constexpr std::uint64_t bits(unsigned high, unsigned low) {
  return (~std::uint64_t{0} >> (63 - high)) & (~std::uint64_t{0} << low);
}

// Whether `value` has no bit at or above `width`.
constexpr bool fits(std::uint64_t value, unsigned width) {
  return width >= 64 || (value >> width) == 0;
}

static_assert(bits(63, 0) == ~std::uint64_t{0});
static_assert(bits(51, 12) == 0x000ffffffffff000);
static_assert(bits(7, 7) == bit(7));
static_assert(fits(0xffff, 16) && !fits(0x10000, 16));

}  // namespace mmu
