// Laws of accesses by guest-virtual address.
#include <algorithm>
#include <cmath>
#include <limits>

#include "guest_world.hpp"
#include "slot_world.hpp"

using namespace world;
using mmu::OutcomeCode;

namespace {

constexpr std::uint64_t kGva = 0xffff800012345678;
constexpr std::uint64_t kFrame = 0x2345000;
constexpr std::uint8_t kUser = 8;

AGuest a_guest(mmu::MachineConfig config = {}, std::uint32_t flags = kLogged) {
  AGuest guest(Mode::k4Level, config, flags);
  guest.map(kGva, kFrame | kPwu);
  REQUIRE(!guest.machine().address_by_gva(true));
  return guest;
}

mmu::Outcome access_gva(AGuest& guest, std::uint64_t gva, std::uint8_t access) {
  const auto out = guest.machine().step({.access = access, .gpa = gva});
  REQUIRE(out);
  return out.value();
}

std::vector<std::uint64_t> leaf_frames(mmu::Machine& machine) {
  std::vector<std::uint64_t> frames;
  for (const mmu::LeafView& leaf : machine.leaves(false)) {
    frames.push_back(leaf.gpa);
  }
  return frames;
}

}  // namespace

TEST_CASE("an access by GVA leaves what accesses to tables and page leave") {
  for (const mmu::Flavour flavour : {mmu::Flavour::kTdp, mmu::Flavour::kRmap}) {
    for (const bool ad_bits : {true, false}) {
      mmu::MachineConfig config;
      config.mmu = flavour;
      config.host.ad_bits = ad_bits;
      AGuest guest = a_guest(config);
      AGuest apart = a_guest(config);
      REQUIRE(!apart.machine().address_by_gva(false));
      const mmu::Outcome out = access_gva(guest, kGva, mmu::kAccessRead);
      CHECK(out.code == OutcomeCode::kFixed);
      for (unsigned level = 4; level != 0; --level) {
        access(
            apart.machine(), apart.entry_at(kGva, level),
            ad_bits ? mmu::kAccessRead | mmu::kAccessWrite : mmu::kAccessRead);
      }
      access(apart.machine(), kFrame | 0x678, mmu::kAccessRead);
      CHECK(leaf_frames(guest.machine()) == leaf_frames(apart.machine()));
      CHECK(dump(guest.machine()) == dump(apart.machine()));
      CHECK(access_gva(guest, kGva, mmu::kAccessRead).code ==
            OutcomeCode::kHit);
    }
  }
}

TEST_CASE("what the guest's tables refuse is the guest's fault, and no exit") {
  AGuest guest = a_guest();
  guest.map(kGva, kFrame | 1);
  const std::uint64_t before = stats(guest.machine())["pf_taken"];
  const mmu::Outcome out = access_gva(guest, kGva, mmu::kAccessWrite | kUser);
  CHECK(out.code == OutcomeCode::kRetry);
  CHECK(out.level == 0);
  const auto fault = guest.machine().guest_fault(0);
  REQUIRE(fault);
  CHECK(fault->error_code ==
        (mmu::pferr::kPresent | mmu::pferr::kWrite | mmu::pferr::kUser));
  CHECK(fault->address == kGva);
  // Its tables were reached all the same: four pages.
  CHECK(stats(guest.machine())["pf_taken"] == before + 4);
  CHECK(guest.machine().leaves(false).size() == 4);
  access_gva(guest, kGva, mmu::kAccessRead);
  CHECK_FALSE(guest.machine().guest_fault(0));
}

TEST_CASE("a page that the VM has no address for is emulated") {
  mmu::MachineConfig config;
  config.address_bits = 40;
  AGuest guest = a_guest(config);
  guest.say({.maxphyaddr = 52, .features = mmu::cpuid::kAll});
  guest.map(kGva, mmu::bit(40) | kPwu);
  CHECK(access_gva(guest, kGva, mmu::kAccessRead).code ==
        OutcomeCode::kEmulate);
}

TEST_CASE("an alias bit of the guest's own entry reaches the page's alias") {
  mmu::MachineConfig config;
  config.strategy = "precise";
  config.preset = "bits:47";
  AGuest guest = a_guest(config);
  guest.map(kGva, mmu::bit(47) | kFrame | kPwu);
  CHECK(access_gva(guest, kGva, mmu::kAccessWrite).code == OutcomeCode::kFixed);
  const auto frames = leaf_frames(guest.machine());
  CHECK(std::ranges::count(frames, mmu::bit(47) | kFrame) == 1);
  CHECK(std::ranges::count(frames, kFrame) == 0);
}

TEST_CASE("a row of no canonical address, or of no access, is refused whole") {
  AGuest guest = a_guest();
  const std::string before = dump(guest.machine());
  std::vector<double> gva{-140737488355328.0, 0};
  std::vector<double> zeros(2);
  std::vector<std::uint16_t> vcpu(2);
  std::vector<std::uint8_t> kind(2);
  std::vector<std::uint8_t> wanted{1, 1};
  std::vector<std::uint32_t> wide(4);
  std::vector<std::uint8_t> narrow(8);
  const auto run = [&] {
    mmu::RunControl control;
    return guest.machine().run(
        {gva.data(), zeros.data(), zeros.data(), vcpu.data(), kind.data(),
         wanted.data(), 2},
        {wide.data(), wide.data() + 2, narrow.data(), narrow.data() + 2,
         narrow.data() + 4, narrow.data() + 6},
        control);
  };
  for (const double bad :
       {0.5, 72057594037927936.0, -72057594037927952.0, std::nan(""),
        -std::numeric_limits<double>::infinity()}) {
    gva[1] = bad;
    const mmu::RunResult result = run();
    CHECK(result.failed);
    CHECK(result.error.code == mmu::ErrorCode::kEvent);
    CHECK(dump(guest.machine()) == before);
  }
  gva[1] = 0;
  for (const unsigned bad : {0u, 8u, 16u, 17u}) {
    wanted[1] = static_cast<std::uint8_t>(bad);
    CHECK(run().failed);
  }
  wanted[1] = 9;
  CHECK_FALSE(run().failed);
}
