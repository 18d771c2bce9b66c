// Roots that vCPUs load where KVM shadows the guest's tables.
#include "world.hpp"

using mmu::GuestRegisters;
using mmu::Machine;
using mmu::OutcomeCode;
using world::kMiB;

namespace {

constexpr std::uint64_t kPage = 0x1000;
constexpr std::uint64_t kNowhere = 0x4000'0000;

std::unique_ptr<Machine> a_vm(unsigned vcpus = 1) {
  auto machine = world::vm({.vcpus = vcpus,
                            .mmu = mmu::Flavour::kRmap,
                            .kernel = mmu::Kernel::kPvm618});
  world::add(*machine, {.bytes = 256 * kMiB});
  return machine;
}

GuestRegisters in_long_mode(std::uint64_t cr3, std::uint64_t cr4 = 0) {
  return {.cr0 = 0x80010031,
          .cr3 = cr3,
          .cr4 = mmu::cr4::kPae | cr4,
          .efer = 0x500};
}

void set(Machine& machine, const GuestRegisters& registers, unsigned vcpu = 0) {
  REQUIRE_FALSE(machine.set_guest_registers(vcpu, registers, false));
}

std::string load(Machine& machine, unsigned vcpu = 0) {
  const auto done = machine.prefault(vcpu, 0, kPage);
  REQUIRE(done);
  CHECK(done.value().bytes_done == 0);
  return std::string(done.value().errno_name);
}

// Pages made and zapped, flushes, and pages recycled.
using Counts = std::vector<std::uint64_t>;

Counts counts(const Machine& machine) {
  auto named = world::stats(machine);
  return {named["mmu_cache_miss"], named["mmu_shadow_zapped"],
          named["remote_tlb_flush_requests"], named["mmu_recycled"]};
}

template <class Act>
Counts grown(Machine& machine, Act act) {
  const Counts before = counts(machine);
  act();
  Counts now = counts(machine);
  for (std::size_t i = 0; i < now.size(); ++i) now[i] -= before[i];
  return now;
}

Counts load_at(Machine& machine, std::uint64_t cr3, unsigned vcpu = 0) {
  return grown(machine, [&] {
    set(machine, in_long_mode(cr3), vcpu);
    CHECK(load(machine, vcpu) == "EOPNOTSUPP");
  });
}

// Of the first 2 MiB, as far as they keep a huge page out.
std::uint32_t watchers(const Machine& machine) {
  const auto info = machine.lpage_info(0, 2);
  REQUIRE(info);
  return info->front();
}

void remove(Machine& machine) {
  REQUIRE(machine.set_memslot(world::Slot{.bytes = 0}.region()));
}

}  // namespace

TEST_CASE("a root is made once, and found by all vCPUs that ask for the same") {
  const auto machine = a_vm(2);
  CHECK(load_at(*machine, 0x5000) == Counts{1, 0, 0, 0});
  CHECK(load_at(*machine, 0x5018, 1) == Counts{0, 0, 0, 0});
  CHECK(load_at(*machine, 0x6000) == Counts{1, 0, 0, 0});
  CHECK(load_at(*machine, 0x5000) == Counts{0, 0, 0, 0});
}

TEST_CASE("with paging off there are four roots, of a gigabyte each") {
  const auto machine = a_vm();
  CHECK(grown(*machine, [&] { load(*machine); }) == Counts{4, 0, 0, 0});
  CHECK(grown(*machine, [&] { load(*machine); }) == Counts{0, 0, 0, 0});
}

TEST_CASE(
    "a CR3 that leads nowhere gets a root of no page, until asked again") {
  const auto machine = a_vm();
  CHECK(load_at(*machine, kNowhere) == Counts{0, 0, 0, 0});
  world::add(*machine, {.id = 1, .gpa = kNowhere, .bytes = kMiB});
  CHECK(grown(*machine, [&] { load(*machine); }) == Counts{0, 0, 0, 0});
  remove(*machine);
  CHECK(grown(*machine, [&] { load(*machine); }) == Counts{1, 0, 0, 0});
}

TEST_CASE("without a slot there is room for no root but the dummy") {
  const auto machine =
      world::vm({.mmu = mmu::Flavour::kRmap, .kernel = mmu::Kernel::kPvm618});
  CHECK(load(*machine) == "ENOSPC");
  CHECK(load_at(*machine, 0x5000) == Counts{0, 0, 0, 0});
}

TEST_CASE("a root that is zapped is zapped again when its vCPU lets it go") {
  const auto machine = a_vm(2);
  load_at(*machine, 0x5000);
  load_at(*machine, 0x6000, 1);
  set(*machine, in_long_mode(0x7000), 1);
  // One is loaded, the other is nobody's and is freed.
  CHECK(grown(*machine, [&] { remove(*machine); }) == Counts{0, 2, 1, 0});
  CHECK(grown(*machine, [&] { load(*machine); }) == Counts{0, 1, 1, 0});
}

TEST_CASE("registers that are set to what they were keep the root") {
  const auto machine = a_vm();
  load_at(*machine, 0x5000);
  remove(*machine);
  CHECK(grown(*machine, [&] { set(*machine, in_long_mode(0x5000)); }) ==
        Counts{0, 0, 0, 0});
  CHECK(grown(*machine, [&] { set(*machine, in_long_mode(0x6000)); }) ==
        Counts{0, 1, 1, 0});
}

TEST_CASE("registers that are not taken as they are given drop the roots") {
  const auto machine = a_vm();
  const GuestRegisters legacy{.cr0 = 0x80000031};
  set(*machine, legacy);
  CHECK(grown(*machine, [&] { load(*machine); }) == Counts{4, 0, 0, 0});
  CHECK(grown(*machine, [&] { remove(*machine); }) == Counts{0, 4, 0, 0});
  CHECK(grown(*machine, [&] { set(*machine, legacy); }) == Counts{0, 4, 1, 0});
}

TEST_CASE("registers that are refused keep the root, and all else") {
  const auto machine = a_vm();
  load_at(*machine, 0x5000);
  remove(*machine);
  const auto before = machine->fingerprint();
  const GuestRegisters bad{.cr0 = 0x80010031, .efer = 0x500};
  CHECK(grown(*machine, [&] {
          CHECK(machine->set_guest_registers(0, bad, false));
        }) == Counts{0, 0, 0, 0});
  CHECK(machine->fingerprint() == before);
}

TEST_CASE(
    "where only a slot's own go, its tables' roots do, and direct ones stay") {
  const auto machine = a_vm(2);
  world::add(*machine, {.id = 1, .gpa = kNowhere, .bytes = kMiB});
  REQUIRE_FALSE(machine->disable_quirks(0x80));
  load(*machine, 1);
  load_at(*machine, 0x5000);
  load_at(*machine, kNowhere);
  CHECK(grown(*machine, [&] { remove(*machine); }) == Counts{0, 1, 1, 0});
  CHECK(grown(*machine, [&] { load(*machine); }) == Counts{0, 0, 0, 0});
  CHECK(grown(*machine, [&] { load(*machine, 1); }) == Counts{0, 0, 0, 0});
}

TEST_CASE(
    "a root that is zapped while it is loaded has every vCPU look at its own") {
  const auto machine = a_vm(2);
  REQUIRE_FALSE(machine->disable_quirks(0x80));
  load_at(*machine, 0x5000);
  load_at(*machine, kNowhere, 1);
  world::add(*machine, {.id = 1, .gpa = kNowhere, .bytes = kMiB});
  CHECK(grown(*machine, [&] { load(*machine, 1); }) == Counts{0, 0, 0, 0});
  CHECK(grown(*machine, [&] { remove(*machine); }) == Counts{0, 1, 0, 0});
  CHECK(grown(*machine, [&] { load(*machine); }) == Counts{0, 1, 1, 0});
  CHECK(grown(*machine, [&] { load(*machine, 1); }) == Counts{1, 0, 0, 0});
}

TEST_CASE("B63: three writes to a root's table without a walk zap the root") {
  const auto machine = a_vm();
  const auto write = [&] { return world::access(*machine, 0x5000).code; };
  load_at(*machine, 0x5000);
  CHECK(write() == OutcomeCode::kWriteProtected);
  CHECK(write() == OutcomeCode::kWriteProtected);
  CHECK(world::stats(*machine)["mmu_flooded"] == 0);

  SUBCASE("and then nobody watches the table") {
    CHECK(grown(*machine, [&] {
            CHECK(write() == OutcomeCode::kWriteProtected);
          }) == Counts{0, 1, 0, 0});
    CHECK(world::stats(*machine)["mmu_flooded"] == 1);
    CHECK(write() == OutcomeCode::kFixed);
    CHECK(world::stats(*machine)["mmu_pte_write"] == 3);
  }
  SUBCASE("but not if it was found in between") {
    load_at(*machine, 0x6000);
    load_at(*machine, 0x5000);
    CHECK(write() == OutcomeCode::kWriteProtected);
    CHECK(world::stats(*machine)["mmu_flooded"] == 0);
  }
}

TEST_CASE("a root takes W from what maps its table, and flushes for it") {
  const auto machine = a_vm();
  CHECK(world::access(*machine, 0x5000).code == OutcomeCode::kFixed);
  CHECK(load_at(*machine, 0x5000) == Counts{1, 0, 1, 0});
  CHECK(world::access(*machine, 0x5000).code == OutcomeCode::kWriteProtected);
}

TEST_CASE("roots and tables are recycled in one order of age") {
  // The tree's root stays; three tables are older than the vCPU's first root.
  constexpr std::uint64_t kOlder = 3;
  for (const std::uint64_t zapped : {kOlder, kOlder + 1}) {
    const auto machine = a_vm();
    world::access(*machine, 0);
    load_at(*machine, 0x5000);
    set(*machine, in_long_mode(0x6000));
    CHECK(watchers(*machine) == 1);
    // Root, older tables, the vCPU's root: what is missing are tables.
    const std::uint64_t used = 1 + kOlder + 1;
    for (std::uint64_t i = 1; i <= 64 + zapped - used; ++i) {
      world::access(*machine, i * 2 * kMiB);
    }
    CHECK(grown(*machine, [&] { REQUIRE(machine->set_mmu_pages(64)); }) ==
          Counts{0, zapped, 1, zapped});
    // Nobody watches the table of a root that is gone.
    CHECK(watchers(*machine) == (zapped > kOlder ? 0 : 1));
  }
}

TEST_CASE("recycling passes over a root that is loaded") {
  const auto machine = a_vm();
  load_at(*machine, 0x5000);
  for (std::uint64_t i = 0; i < 80; ++i) {
    world::access(*machine, i * 2 * kMiB);
  }
  // The tree's root, two levels, eighty tables, the vCPU's root.
  CHECK(grown(*machine, [&] { REQUIRE(machine->set_mmu_pages(64)); }) ==
        Counts{0, 20, 1, 20});
  CHECK(watchers(*machine) == 1);
  CHECK(load_at(*machine, 0x5000) == Counts{0, 0, 0, 0});
}

TEST_CASE("a CR3 that leads into one of KVM's own slots leads nowhere") {
  auto machine = world::vm({.mmu = mmu::Flavour::kRmap,
                            .internal_slots = true,
                            .kernel = mmu::Kernel::kPvm618});
  world::add(*machine, {.bytes = kMiB});
  CHECK(load_at(*machine, 0xfee00000) == Counts{0, 0, 0, 0});
  CHECK(load_at(*machine, 0x5000) == Counts{1, 0, 0, 0});
}

TEST_CASE(
    "a guest that loads CR3 comes back to three roots that it had before") {
  const auto machine = a_vm();
  const auto load_cr3 = [&](std::uint64_t cr3) {
    REQUIRE_FALSE(machine->load_guest_cr3(0, cr3));
    load(*machine);
  };
  load_at(*machine, 0x1000);
  for (const std::uint64_t cr3 : {0x2000u, 0x3000u, 0x4000u}) load_cr3(cr3);
  CHECK(grown(*machine, [&] { remove(*machine); }) == Counts{0, 4, 0, 0});

  SUBCASE("all of them are let go with the slot") {
    CHECK(grown(*machine, [&] { load(*machine); }) == Counts{0, 4, 1, 0});
  }
  SUBCASE("the one that is longest away is let go first") {
    CHECK(grown(*machine, [&] {
            REQUIRE_FALSE(machine->load_guest_cr3(0, 0x5000));
          }) == Counts{0, 1, 1, 0});
  }
}

TEST_CASE("a guest that loads the CR3 that it has keeps its root") {
  const auto machine = a_vm();
  load_at(*machine, 0x1000);
  remove(*machine);
  CHECK(grown(*machine, [&] {
          REQUIRE_FALSE(machine->load_guest_cr3(0, 0x1000));
        }) == Counts{0, 0, 0, 0});
}

TEST_CASE("a CR3 that is too wide for the guest changes nothing") {
  const auto machine = a_vm();
  load_at(*machine, 0x1000);
  const auto before = machine->fingerprint();
  const auto refused = machine->load_guest_cr3(0, mmu::bit(60));
  REQUIRE(refused);
  CHECK(refused->code == mmu::ErrorCode::kRegisters);
  CHECK(machine->fingerprint() == before);
  CHECK(machine->load_guest_cr3(1, 0x1000));
}
