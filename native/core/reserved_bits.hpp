// Bits of a paging entry that hardware insists on being clear, by the physical
// width that a processor reports.
//
// With execute-disable on, on an Intel processor. Without, bit 63 is one more
// of them in every format but EPT; on AMD, bit 8 is at levels 4 and 5.
//
// KVM: __reset_rsvds_bits_mask(), __reset_rsvds_bits_mask_ept() (v6.16); Intel
// SDM vol. 3, 4.4 to 4.5 and 28.3.
#pragma once

#include <cstdint>

#include "core/bits.hpp"

namespace mmu::reserved {

// Frame bits that no such processor has.
constexpr std::uint64_t address(unsigned maxphyaddr) {
  return bits(51, maxphyaddr);
}

constexpr std::uint64_t pae_pdpte(unsigned maxphyaddr) {
  return bits(63, maxphyaddr) | bits(8, 5) | bits(2, 1);
}
constexpr std::uint64_t pae_2m(unsigned maxphyaddr) {
  return bits(62, maxphyaddr) | bits(20, 13);
}

// Of four or five levels. Bit 12 of a large page is its memory type.
constexpr std::uint64_t long_2m(unsigned maxphyaddr) {
  return address(maxphyaddr) | bits(20, 13);
}
constexpr std::uint64_t long_1g(unsigned maxphyaddr) {
  return address(maxphyaddr) | bits(29, 13);
}

constexpr std::uint64_t ept_2m(unsigned maxphyaddr) {
  return address(maxphyaddr) | bits(20, 12);
}
constexpr std::uint64_t ept_level_4(unsigned maxphyaddr) {
  return address(maxphyaddr) | bits(7, 3);
}

static_assert(address(52) == 0);

}  // namespace mmu::reserved
