#include "world.hpp"

using mmu::OutcomeCode;
using world::kGiB;
using world::kMiB;

namespace {

constexpr std::uint32_t kReadonly = mmu::MemslotRegion::kReadonly;
constexpr std::uint32_t kLogDirty = mmu::MemslotRegion::kLogDirty;

std::uint64_t spte_at(const mmu::Machine& machine, std::uint64_t gpa) {
  const auto steps = machine.walk(gpa);
  REQUIRE(steps);
  REQUIRE(!steps.value().empty());
  return steps.value().back().spte;
}

}  // namespace

TEST_CASE("a first touch makes three links and one leaf, then hits") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kGiB});
  const mmu::Outcome first = world::access(*machine, 0x12345000);
  CHECK(first.code == OutcomeCode::kFixed);
  CHECK(first.sptes_changed == 4);
  CHECK(first.level == 1);
  CHECK(first.tables_read == 1);
  const mmu::Outcome second = world::access(*machine, 0x12345fff, 7);
  CHECK(second.code == OutcomeCode::kHit);
  CHECK(second.tables_read == 4);
  CHECK(second.sptes_changed == 0);
  CHECK(spte_at(*machine, 0x12345000) == 0x8600000012345b77);
  CHECK(world::stats(*machine)["pf_fixed"] == 1);
  world::check_accounts(*machine);
}

TEST_CASE("a five-level VM reads one table more") {
  const auto machine =
      world::vm({.address_bits = 52, .root_level = 5, .host_maxphyaddr = 52});
  world::add(*machine, {.gpa = mmu::bit(51), .bytes = kMiB});
  CHECK(world::access(*machine, mmu::bit(51)).sptes_changed == 5);
  CHECK(world::access(*machine, mmu::bit(51)).tables_read == 5);
}

TEST_CASE("a read maps a writable slot writable at once") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB});
  CHECK(world::access(*machine, 0, mmu::kAccessRead).code ==
        OutcomeCode::kFixed);
  CHECK(world::access(*machine, 0, mmu::kAccessWrite).code ==
        OutcomeCode::kHit);
}

TEST_CASE("a write to a read-only slot is emulated and maps nothing") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB, .flags = kReadonly});
  CHECK(world::access(*machine, 0x1000).code == OutcomeCode::kEmulate);
  CHECK(world::stats(*machine)["pf_emulate"] == 1);
  CHECK(machine->leaves(true).empty());
  CHECK(world::access(*machine, 0x1000, mmu::kAccessRead).code ==
        OutcomeCode::kFixed);
  CHECK(spte_at(*machine, 0x1000) == 0x8000000000001975);
  // Present now, and still not a matter for the fast path.
  CHECK(world::access(*machine, 0x1000).code == OutcomeCode::kEmulate);
  CHECK(world::stats(*machine)["pf_fast"] == 0);
}

TEST_CASE("a hole is emulated, the second time without reaching the handler") {
  const auto machine = world::vm();
  CHECK(world::access(*machine, 0xfee00000).code == OutcomeCode::kEmulate);
  const auto once = world::stats(*machine);
  CHECK(once.at("pf_taken") == 1);
  CHECK(once.at("pf_mmio_spte_created") == 1);
  CHECK(spte_at(*machine, 0xfee00000) == 0x00000000fee00006);
  CHECK(world::access(*machine, 0xfee00000).code == OutcomeCode::kEmulate);
  CHECK(world::access(*machine, 0xfee00000, 1).code == OutcomeCode::kEmulate);
  auto then = world::stats(*machine);
  CHECK(then["exits"] == 3);
  for (const char* name : {"exits", "mmio_exits", "insn_emulation"}) {
    then[name] -= 2;
  }
  CHECK(then == once);
}

TEST_CASE("any slot change makes an MMIO entry stale, and a fault renews it") {
  const auto machine = world::vm();
  world::access(*machine, 0xfee00000);
  world::add(*machine, {.bytes = kMiB});
  const mmu::Outcome again = world::access(*machine, 0xfee00000);
  CHECK(again.code == OutcomeCode::kEmulate);
  CHECK(again.sptes_changed == 1);
  CHECK(spte_at(*machine, 0xfee00000) == 0x00000000fee00016);
  CHECK(world::stats(*machine)["pf_taken"] == 2);
}

TEST_CASE("a slot created over an MMIO entry is mapped in its place") {
  const auto machine = world::vm();
  world::access(*machine, 0x5000);
  world::add(*machine, {.bytes = kMiB});
  CHECK(world::access(*machine, 0x5000).code == OutcomeCode::kFixed);
  CHECK(machine->leaves(true).size() == 1);
  world::check_accounts(*machine);
}

TEST_CASE("above the highest mappable gfn a hole leaves no MMIO entry") {
  const auto machine = world::vm({.address_bits = 36, .host_maxphyaddr = 36});
  CHECK(world::access(*machine, mmu::bit(36) - 1).code ==
        OutcomeCode::kEmulate);
  CHECK(machine->leaves(true).size() == 1);
}

TEST_CASE("a dirty round takes W and the fast path gives it back") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kGiB, .flags = kLogDirty});
  world::access(*machine, 0x3000);
  CHECK(machine->memslots()[0].dirty_pages == 1);
  CHECK(world::operate(*machine, mmu::EventKind::kDirtyLogGet).sptes_changed ==
        1);
  CHECK(spte_at(*machine, 0x3000) == 0x8600000000003b75);
  CHECK(machine->memslots()[0].dirty_pages == 0);
  CHECK(world::access(*machine, 0x3000, 1).code == OutcomeCode::kHit);
  CHECK(world::access(*machine, 0x3000).code == OutcomeCode::kFixed);
  CHECK(world::stats(*machine)["pf_fast"] == 1);
  CHECK(machine->memslots()[0].dirty_pages == 1);
}

TEST_CASE("backing, alignment and the slot's ends decide the leaf's level") {
  for (std::uint8_t backing = 1; backing <= 3; ++backing) {
    CAPTURE(int{backing});
    const auto machine = world::vm();
    world::add(*machine,
               {.gpa = 0x1000, .bytes = 4 * kGiB, .backing = backing});
    CHECK(world::access(*machine, 0x1000).level == 1);
    CHECK(world::access(*machine, 2 * kMiB).level == (backing > 1 ? 2 : 1));
    CHECK(world::access(*machine, kGiB).level == backing);
    CHECK(world::access(*machine, 4 * kGiB).level == 1);
    world::check_accounts(*machine);
  }
}

TEST_CASE("host memory that is not congruent is mapped with 4K pages") {
  const auto machine = world::vm();
  mmu::MemslotRegion region =
      world::Slot{.bytes = 4 * kGiB, .backing = 3}.region();
  region.hva += mmu::kPageSize;
  REQUIRE(machine->set_memslot(region));
  CHECK(world::access(*machine, kGiB).level == 1);
}

TEST_CASE("logging splits what is mapped, and its end joins it again") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = 2 * kGiB, .backing = 3});
  CHECK(world::access(*machine, kGiB).level == 3);
  CHECK(
      world::operate(*machine, mmu::EventKind::kDirtyLogEnable).sptes_changed ==
      1 + 512 + 512 * 512);
  world::check_accounts(*machine);
  CHECK(world::stats(*machine)["pages_4k"] == 512 * 512);
  CHECK(world::access(*machine, kGiB + 0x1000).level == 1);
  CHECK(machine->memslots()[0].dirty_pages == 1);
  CHECK(world::operate(*machine, mmu::EventKind::kDirtyLogDisable)
            .sptes_changed == 1);
  CHECK(world::stats(*machine)["pages_1g"] == 1);
  world::check_accounts(*machine);
}

TEST_CASE("a zap takes whole leaves and leaves tables and MMIO entries") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kGiB, .backing = 2});
  world::access(*machine, 0);
  world::access(*machine, 2 * kMiB);
  world::access(*machine, 0xfee00000);
  CHECK(world::operate(*machine, mmu::EventKind::kZap, 0x1ff000, 0x2000)
            .sptes_changed == 2);
  CHECK(machine->leaves(false).empty());
  CHECK(machine->leaves(true).size() == 1);
  CHECK(machine->tables().by_level[2] == 2);
}

TEST_CASE("zap-all-fast drops everything, and the next access has a new root") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kGiB});
  for (std::uint64_t page = 0; page < 100; ++page) {
    world::access(*machine, page * 0x5000);
  }
  CHECK(world::operate(*machine, mmu::EventKind::kZapAllFast).sptes_changed ==
        100);
  CHECK(machine->tables().roots == 0);
  CHECK(machine->tables().bytes_in_use == 0);
  CHECK(world::access(*machine, 0).code == OutcomeCode::kFixed);
  CHECK(machine->tables().roots == 1);
  world::check_accounts(*machine);
}
