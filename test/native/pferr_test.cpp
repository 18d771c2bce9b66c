#include "core/pferr.hpp"

#include <doctest/doctest.h>

#include <ostream>

namespace {

struct Row {
  std::uint64_t qualification;
  std::uint64_t right;
  std::uint64_t lost;  // v6.12 to v6.18-rc4
};
constexpr Row kRows[] = {
    {0x001, 0x4, 0x4},          {0x181, 0x100000004, 0x4},
    {0x182, 0x100000002, 0x2},  {0x184, 0x100000010, 0x10},
    {0x18a, 0x100000003, 0x3},  {0x1aa, 0x100000003, 0x3},
    {0x1bc, 0x100000011, 0x11}, {0x081, 0x200000004, 0x4},
    {0x083, 0x200000006, 0x6},  {0x0ab, 0x200000007, 0x7},
    {0x683, 0x200000006, 0x6},  {0x782, 0x100000002, 0x2},
    {0x784, 0x100000010, 0x10},
};

}  // namespace

TEST_CASE(
    "A3, B37, B38: an EPT violation's error code, on kernels right and wrong") {
  for (const Row& row : kRows) {
    CAPTURE(row.qualification);
    CHECK(mmu::pferr_of_violation(row.qualification, false) == row.right);
    CHECK(mmu::pferr_of_violation(row.qualification, true) == row.lost);
  }
  // Nothing above bit 8 and nothing of user-mode execution counts.
  CHECK(mmu::pferr_of_violation(~std::uint64_t{0x1ff} | 0x40, false) == 0);
}

TEST_CASE("A3: a private access of TDX is a write, whatever it was") {
  for (const std::uint64_t qualification : {0x001, 0x184, 0x0ab}) {
    CHECK(mmu::pferr_of_tdx(qualification, true, true) == 0x2000000000002);
    CHECK(mmu::pferr_of_tdx(qualification, true, false) == 0x2000000000002);
    CHECK(mmu::pferr_of_tdx(qualification, false, false) ==
          mmu::pferr_of_violation(qualification, false));
  }
}

TEST_CASE("a TDX guest dies of a fetch from shared memory alone") {
  CHECK(mmu::kills_tdx_guest(0x184, false));
  CHECK(!mmu::kills_tdx_guest(0x184, true));
  CHECK(!mmu::kills_tdx_guest(0x182, false));
}

TEST_CASE("a nested page fault keeps its bits, and none that are KVM's") {
  CHECK(mmu::pferr_of_npf(0x100000014, false) == 0x100000014);
  CHECK(mmu::pferr_of_npf(0x200000006, false) == 0x200000006);
  CHECK(mmu::pferr_of_npf(std::uint64_t{3} << 48 | 4, true) == 4);
  constexpr std::uint64_t kEncrypted = std::uint64_t{1} << 34;
  CHECK(mmu::pferr_of_npf(kEncrypted | 6, true) ==
        (kEncrypted | 6 | std::uint64_t{1} << 49));
  CHECK(mmu::pferr_of_npf(kEncrypted | 6, false) == (kEncrypted | 6));
  CHECK(mmu::pferr_of_misconfig() == 8);
  CHECK(mmu::pferr_of_page_fault(0x1'0000'8027) == 0x8027);
}
