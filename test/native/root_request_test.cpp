// Which root a vCPU's registers ask for.
#include "core/shadow/root_request.hpp"

#include <doctest/doctest.h>

namespace {

using mmu::GuestRegisters;

mmu::RootRequest request(std::uint64_t cr0, std::uint64_t cr4,
                         std::uint64_t efer) {
  return mmu::root_request(
      {.cr0 = cr0, .cr3 = 0x5018, .cr4 = cr4, .efer = efer}, {});
}

constexpr std::uint64_t kPaging = 0x80000031;
constexpr std::uint64_t kWp = mmu::cr0::kWriteProtect;
constexpr std::uint64_t kLong = 0x500;
constexpr std::uint64_t kPae = mmu::cr4::kPae;
constexpr std::uint64_t kGuards = mmu::cr4::kSmep | mmu::cr4::kSmap;

}  // namespace

TEST_CASE("a root's role is of the guest's tables, of PAE's at least") {
  CHECK(request(kPaging | kWp, kPae, kLong).role.word == 0x3704);
  CHECK(request(kPaging | kWp, kPae | mmu::cr4::kLa57, kLong).role.word ==
        0x3705);
  CHECK(request(kPaging | kWp, kPae, 0).role.word == 0x3703);
  CHECK(request(kPaging | kWp, 0, 0).role.word == 0x3713);
}

TEST_CASE("with paging off no other bit of the registers is in the role") {
  CHECK(request(0x31, 0, 0).role.word == 0x1783);
  CHECK(request(0x31 | kWp, kPae | kGuards, 0).role.word == 0x1783);
  CHECK(request(0x31, 0, 0).is_direct());
}

TEST_CASE("SMEP and SMAP are in the role where CR0.WP is clear") {
  CHECK(request(kPaging, kPae | kGuards, kLong).role.word == 0xd704);
  CHECK(request(kPaging, kPae | mmu::cr4::kSmep, kLong).role.word == 0x5704);
  CHECK(request(kPaging | kWp, kPae | kGuards, kLong).role.word == 0x3704);
}

TEST_CASE("entries have NX whether the guest has it or not") {
  CHECK(request(kPaging, kPae, kLong).role ==
        request(kPaging, kPae, kLong | mmu::efer::kNoExecute).role);
}
