// Masks of reserved bits against worked values.
#include "core/reserved_bits.hpp"

#include <doctest/doctest.h>

using namespace mmu;

TEST_CASE("A5: reserved bits follow the physical width") {
  const struct {
    unsigned width;
    std::uint64_t address, pdpte, pae_2m, long_2m, long_1g, ept_2m, ept_4;
  } rows[] = {
      {36, 0x000ffff000000000, 0xfffffff0000001e6, 0x7ffffff0001fe000,
       0x000ffff0001fe000, 0x000ffff03fffe000, 0x000ffff0001ff000,
       0x000ffff0000000f8},
      {39, 0x000fff8000000000, 0xffffff80000001e6, 0x7fffff80001fe000,
       0x000fff80001fe000, 0x000fff803fffe000, 0x000fff80001ff000,
       0x000fff80000000f8},
      {46, 0x000fc00000000000, 0xffffc000000001e6, 0x7fffc000001fe000,
       0x000fc000001fe000, 0x000fc0003fffe000, 0x000fc000001ff000,
       0x000fc000000000f8},
      {48, 0x000f000000000000, 0xffff0000000001e6, 0x7fff0000001fe000,
       0x000f0000001fe000, 0x000f00003fffe000, 0x000f0000001ff000,
       0x000f0000000000f8},
      {52, 0, 0xfff00000000001e6, 0x7ff00000001fe000, 0x00000000001fe000,
       0x000000003fffe000, 0x00000000001ff000, 0x00000000000000f8},
  };
  for (const auto& row : rows) {
    INFO(row.width);
    CHECK(reserved::address(row.width) == row.address);
    CHECK(reserved::pae_pdpte(row.width) == row.pdpte);
    CHECK(reserved::pae_2m(row.width) == row.pae_2m);
    CHECK(reserved::long_2m(row.width) == row.long_2m);
    CHECK(reserved::long_1g(row.width) == row.long_1g);
    CHECK(reserved::ept_2m(row.width) == row.ept_2m);
    CHECK(reserved::ept_level_4(row.width) == row.ept_4);
  }
}
