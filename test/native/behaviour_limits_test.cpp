// The checklist's rows about how much the legacy MMU keeps.
#include "core/flush_plan.hpp"
#include "world.hpp"

namespace {

using mmu::ErrorCode;
using mmu::EventKind;
using mmu::Flavour;
using mmu::MachineConfig;
using mmu::OutcomeCode;
using world::access;
using world::kGiB;
using world::kMiB;
using world::operate;

constexpr auto kFull = static_cast<std::uint8_t>(mmu::FlushScope::kFull);
constexpr auto kRange = static_cast<std::uint8_t>(mmu::FlushScope::kRange);

std::uint64_t shadow_pages(const mmu::Machine& machine) {
  return machine.table_list().size();
}

// A VM whose limit is the least, 64.
std::unique_ptr<mmu::Machine> small_vm() {
  auto machine = world::vm({.mmu = Flavour::kRmap});
  world::add(*machine, {.bytes = 4 * kMiB});
  return machine;
}

// MMIO entries need tables as leaves do: one for each 2M.
mmu::Outcome touch(mmu::Machine& machine, std::uint64_t i) {
  return access(machine, kGiB + i * 2 * kMiB);
}

}  // namespace

TEST_CASE("B64: one leaf too many of a frame, and all of them go") {
  MachineConfig config{.strategy = "stolen-bits", .mmu = Flavour::kRmap};
  config.preset = "bits:46,47";
  // KVM bears a thousand; 1,001 are there when the 1,002nd has them zapped.
  CHECK(config.rmap_recycle_threshold == 1000);
  config.rmap_recycle_threshold = 2;
  const auto machine = world::vm(config);
  world::add(*machine, {.bytes = 4096});
  for (std::uint64_t alias = 0; alias < 3; ++alias) {
    access(*machine, alias << 46);
  }
  CHECK(machine->rmap_count(0).value() == 3);
  // There were three, more than two.
  const auto fourth = access(*machine, std::uint64_t{3} << 46);
  CHECK(fourth.code == OutcomeCode::kFixed);
  CHECK(fourth.flush == kFull);
  CHECK(machine->rmap_count(0).value() == 0);
  CHECK(machine->leaves(false).empty());
  CHECK(world::stats(*machine)["max_mmu_rmap_size"] == 3);
  // Hardware finds nothing, and KVM is asked again.
  CHECK(access(*machine, std::uint64_t{3} << 46).code == OutcomeCode::kFixed);
  CHECK(machine->rmap_count(0).value() == 1);
}

TEST_CASE("B64: the flush is of the frame, where a range can be flushed") {
  MachineConfig config{.strategy = "stolen-bits", .mmu = Flavour::kRmap};
  config.preset = "bits:47";
  config.flush_provider = "hyperv";
  config.rmap_recycle_threshold = 0;
  const auto machine = world::vm(config);
  world::add(*machine, {.bytes = 4096});
  access(*machine, 0);
  const auto second = access(*machine, mmu::bit(47));
  CHECK(second.flush == kRange);
  CHECK(machine->leaves(false).empty());
  CHECK(machine->violations().empty());
}

TEST_CASE("no VM that can be had has a thousand leaves of a frame") {
  MachineConfig config{.strategy = "stolen-bits", .mmu = Flavour::kRmap};
  config.preset = "bits:44,45,46,47";
  const auto machine = world::vm(config);
  world::add(*machine, {.bytes = 4096});
  for (std::uint64_t alias = 0; alias < 16; ++alias) {
    access(*machine, alias << 44);
  }
  CHECK(machine->rmap_count(0).value() == 16);
}

TEST_CASE("the oldest shadow pages go when fewer than five are free") {
  const auto machine = small_vm();
  // Root, one table for 512G, and one for each 1G.
  touch(*machine, 0);
  CHECK(shadow_pages(*machine) == 4);
  for (std::uint64_t i = 1; i < 57; ++i) {
    CHECK(touch(*machine, i).flush == 0);
  }
  CHECK(shadow_pages(*machine) == 60);
  // 4 free: 21 go, the upper tables among them, and 4 come back.
  const auto fault = touch(*machine, 57);
  CHECK(fault.code == OutcomeCode::kEmulate);
  CHECK(fault.flush == kFull);
  auto counts = world::stats(*machine);
  CHECK(counts["mmu_recycled"] == 21);
  CHECK(counts["mmu_shadow_zapped"] == 21);
  CHECK(counts["remote_tlb_flush_requests"] == 1);
  CHECK(shadow_pages(*machine) == 60 - 21 + 3);
}

TEST_CASE("a shadow page that lost its parent is found again, leaves and all") {
  const auto machine = small_vm();
  access(*machine, 0);
  for (std::uint64_t i = 0; i < 57; ++i) touch(*machine, i);
  // The tables above the leaf were the first that went, and it with them.
  CHECK(world::stats(*machine)["mmu_recycled"] > 0);
  CHECK(access(*machine, 0).code == OutcomeCode::kFixed);
  world::check_accounts(*machine);
}

TEST_CASE("the limit follows the slots until it is set by hand") {
  const auto machine = small_vm();
  CHECK(!machine->set_mmu_pages(63));
  world::add(*machine, {.id = 1, .gpa = 4 * kGiB, .bytes = 40 * kMiB});
  // 44M are 11,264 pages: 225 shadow pages.
  for (std::uint64_t i = 0; i < 200; ++i) touch(*machine, i);
  CHECK(world::stats(*machine)["mmu_recycled"] == 0);
  const auto shrunk =
      machine->set_memslot({.slot = 1, .gpa = 4 * kGiB, .bytes = 0});
  REQUIRE(shrunk);
  REQUIRE(machine->set_mmu_pages(300));
  world::add(*machine, {.id = 1, .gpa = 4 * kGiB, .bytes = kMiB});
  for (std::uint64_t i = 0; i < 200; ++i) touch(*machine, i);
  CHECK(world::stats(*machine)["mmu_recycled"] == 0);
}

TEST_CASE("a lower limit zaps at once, and flushes once") {
  const auto machine = small_vm();
  REQUIRE(machine->set_mmu_pages(1000));
  for (std::uint64_t i = 0; i < 97; ++i) touch(*machine, i);
  CHECK(shadow_pages(*machine) == 100);
  const auto cut = machine->set_mmu_pages(64);
  REQUIRE(cut);
  CHECK(cut.value().flush == kFull);
  CHECK(shadow_pages(*machine) == 64);
  CHECK(world::stats(*machine)["mmu_recycled"] == 36);
  CHECK(world::stats(*machine)["remote_tlb_flush_requests"] == 1);
}

TEST_CASE("fewer than 64 shadow pages are refused and change nothing") {
  for (const Flavour flavour : {Flavour::kTdp, Flavour::kRmap}) {
    const auto machine = world::vm({.mmu = flavour});
    world::add(*machine, {.bytes = 4 * kMiB});
    for (std::uint64_t i = 0; i < 40; ++i) touch(*machine, i);
    const auto before = world::stats(*machine);
    const auto refused = machine->set_mmu_pages(63);
    REQUIRE(!refused);
    CHECK(refused.error().code == ErrorCode::kMmuPages);
    CHECK(refused.error().message() ==
          "expected a limit of 64 shadow pages or more, got 63");
    CHECK(world::stats(*machine) == before);
    CHECK(machine->set_mmu_pages(64));
    CHECK(world::stats(*machine) == before);
  }
}

TEST_CASE("trees have no limit") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = 4 * kMiB});
  for (std::uint64_t i = 0; i < 100; ++i) touch(*machine, i);
  REQUIRE(machine->set_mmu_pages(64));
  CHECK(machine->tables().by_level[1] == 100);
}
