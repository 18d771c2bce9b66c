// The checklist's rows about how writes to a logged slot are noticed: by W, by
// D and the page-modification log, and what becomes of huge pages.
#include "core/flush_plan.hpp"
#include "core/leaf.hpp"
#include "world.hpp"

namespace {

using mmu::EventKind;
using mmu::Flavour;
using mmu::MachineConfig;
using mmu::OutcomeCode;
using mmu::Spte;
using world::access;
using world::kMiB;
using world::operate;

constexpr std::uint64_t kPage = 4096;
constexpr auto kFull = static_cast<std::uint8_t>(mmu::FlushScope::kFull);
constexpr Flavour kFlavours[] = {Flavour::kTdp, Flavour::kRmap};

MachineConfig with_pml(Flavour mmu) {
  MachineConfig config{.mmu = mmu};
  config.host.pml = true;
  return config;
}

Spte leaf_at(const mmu::Machine& machine, std::uint64_t gpa) {
  return {machine.walk(gpa).value().back().spte};
}

std::uint64_t dirty_pages(const mmu::Machine& machine) {
  return machine.memslot(0)->dirty_pages;
}

// A page that was written before logging began.
void written_then_logged(mmu::Machine& machine, std::uint8_t backing = 1) {
  world::add(machine, {.bytes = 4 * kMiB, .backing = backing});
  access(machine, 0);
  CHECK(operate(machine, EventKind::kDirtyLogEnable).flush == kFull);
}

enum class Armed { kW, kD, kBoth };

Armed armed_by(const mmu::Machine& machine, std::uint64_t gpa) {
  const Spte leaf = leaf_at(machine, gpa);
  REQUIRE(leaf.has(mmu::ept::kMmuWritable));
  const bool by_w = !leaf.has(mmu::ept::kWrite);
  const bool by_d = !leaf.has(mmu::ept::kDirty);
  REQUIRE((by_w || by_d));
  if (by_w && by_d) return Armed::kBoth;
  return by_w ? Armed::kW : Armed::kD;
}

}  // namespace

TEST_CASE("W or D: which of them a log is armed by, case by case") {
  struct Case {
    const char* what;
    bool ad_bits;
    bool pml;
    mmu::Vendor vendor;
    Armed armed;
  };
  constexpr Case kCases[] = {
      {"A/D, PML", true, true, mmu::Vendor::kIntel, Armed::kD},
      {"A/D, no PML", true, false, mmu::Vendor::kIntel, Armed::kW},
      {"no A/D", false, false, mmu::Vendor::kIntel, Armed::kW},
      {"no A/D, so no PML", false, true, mmu::Vendor::kIntel, Armed::kW},
  };
  for (const Case& row : kCases) {
    CAPTURE(row.what);
    for (const Flavour flavour : kFlavours) {
      MachineConfig config{.mmu = flavour};
      config.host.ad_bits = row.ad_bits;
      config.host.pml = row.pml;
      const auto machine = world::vm(config);
      written_then_logged(*machine);
      CHECK(armed_by(*machine, 0) == row.armed);
      // And again once the page was written and its bit taken.
      access(*machine, 0);
      operate(*machine, EventKind::kDirtyLogGet);
      CHECK(armed_by(*machine, 0) == row.armed);
    }
  }
}

TEST_CASE("nested tables have no page-modification log") {
  MachineConfig config = with_pml(Flavour::kTdp);
  config.host.vendor = mmu::Vendor::kAmd;
  const auto machine = world::vm(config);
  written_then_logged(*machine);
  CHECK(access(*machine, 0).code == OutcomeCode::kFixed);
  CHECK(dirty_pages(*machine) == 1);
}

TEST_CASE("B50: a write that only lost its W is fixed fast and leaves D") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = world::vm({.mmu = flavour});
    written_then_logged(*machine);
    const Spte before = leaf_at(*machine, 0);
    auto counts = world::stats(*machine);
    const auto fixed = access(*machine, 0);
    CHECK(fixed.code == OutcomeCode::kFixed);
    CHECK(fixed.sptes_changed == 1);
    CHECK(fixed.flush == 0);
    CHECK(leaf_at(*machine, 0) == before.with(mmu::ept::kWrite));
    CHECK(dirty_pages(*machine) == 1);
    auto after = world::stats(*machine);
    CHECK(after["pf_fast"] == counts["pf_fast"] + 1);
    CHECK(after["pf_fixed"] == counts["pf_fixed"] + 1);
  }
}

TEST_CASE("B51: a huge leaf of a logged slot is not for the fast path") {
  MachineConfig config;
  config.host.eager_page_split = false;
  const auto machine = world::vm(config);
  written_then_logged(*machine, 2);
  const Spte huge = leaf_at(*machine, 0);
  CHECK(huge.has(mmu::ept::kHuge | mmu::ept::kMmuWritable));
  CHECK(!huge.is_writable());
  CHECK(access(*machine, 0, mmu::kAccessRead).code == OutcomeCode::kHit);
  const auto fixed = access(*machine, kPage);
  CHECK(fixed.code == OutcomeCode::kFixed);
  CHECK(fixed.level == 1);
  CHECK(fixed.flush == 0);
  CHECK(leaf_at(*machine, kPage).is_writable());
  CHECK(!leaf_at(*machine, 0).is_writable());
  auto counts = world::stats(*machine);
  CHECK(counts["pf_fast"] == 0);
  CHECK(counts["pages_4k"] == 512);
  CHECK(counts["pages_2m"] == 0);
  CHECK(dirty_pages(*machine) == 1);
  // Its neighbour is small by now.
  access(*machine, 2 * kPage);
  CHECK(world::stats(*machine)["pf_fast"] == 1);
}

TEST_CASE("B51: huge leaves lose W under the page-modification log too") {
  for (const Flavour flavour : kFlavours) {
    MachineConfig config = with_pml(flavour);
    config.host.eager_page_split = false;
    const auto machine = world::vm(config);
    written_then_logged(*machine, 2);
    const bool is_tdp = flavour == Flavour::kTdp;
    CHECK(armed_by(*machine, 0) == (is_tdp ? Armed::kBoth : Armed::kW));
    CHECK(access(*machine, 0).level == 1);
    CHECK(dirty_pages(*machine) == 1);
  }
}

TEST_CASE("without eager splitting a log begins without a new table") {
  MachineConfig config;
  for (const bool eager : {true, false}) {
    config.host.eager_page_split = eager;
    const auto machine = world::vm(config);
    world::add(*machine, {.bytes = 4 * kMiB, .backing = 2});
    access(*machine, 0);
    const auto begun = operate(*machine, EventKind::kDirtyLogEnable);
    CHECK(begun.sptes_changed == (eager ? 513 : 1));
    CHECK(machine->tables().by_level[1] == (eager ? 1 : 0));
  }
}

TEST_CASE("a write that sets D is a hit, and in the log once it is drained") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = world::vm(with_pml(flavour));
    written_then_logged(*machine);
    CHECK(access(*machine, 0, mmu::kAccessRead).code == OutcomeCode::kHit);
    CHECK(access(*machine, 0).code == OutcomeCode::kHit);
    CHECK(leaf_at(*machine, 0).has(mmu::ept::kDirty));
    CHECK(dirty_pages(*machine) == 0);
    CHECK(machine->dirty_log(0, false).value()[0] == 1);
    // What was read is clean again, and the next write is seen again.
    CHECK(!leaf_at(*machine, 0).has(mmu::ept::kDirty));
    CHECK(machine->dirty_log(0, false).value()[0] == 0);
    access(*machine, 0);
    CHECK(machine->dirty_log(0, false).value()[0] == 1);
  }
}

TEST_CASE("a page-modification log that is full is drained by the next write") {
  const auto machine = world::vm(with_pml(Flavour::kTdp));
  world::add(*machine, {.bytes = 4 * kMiB});
  for (std::uint64_t i = 0; i < 600; ++i) access(*machine, i * kPage);
  operate(*machine, EventKind::kDirtyLogEnable);
  for (std::uint64_t i = 0; i < 512; ++i) access(*machine, i * kPage);
  CHECK(dirty_pages(*machine) == 0);
  access(*machine, 512 * kPage);
  CHECK(dirty_pages(*machine) == 512);
  CHECK(machine->dirty_log(0, false).value()[8] == 1);
}

TEST_CASE("a fault drains its own vCPU's log, and no other") {
  MachineConfig config = with_pml(Flavour::kTdp);
  config.vcpus = 2;
  const auto machine = world::vm(config);
  world::add(*machine, {.bytes = 4 * kMiB});
  access(*machine, 0);
  access(*machine, kPage);
  operate(*machine, EventKind::kDirtyLogEnable);
  access(*machine, 0);
  REQUIRE(
      machine->step({.access = mmu::kAccessWrite, .vcpu = 1, .gpa = kPage}));
  // Outside every slot: nothing of its own is dirty.
  CHECK(access(*machine, 64 * kMiB).code == OutcomeCode::kEmulate);
  CHECK(dirty_pages(*machine) == 1);
  CHECK(machine->dirty_log(0, false).value()[0] == 3);
}

TEST_CASE("what waited when the last log ended is in no later one") {
  const auto machine = world::vm(with_pml(Flavour::kTdp));
  written_then_logged(*machine);
  access(*machine, 0);
  operate(*machine, EventKind::kDirtyLogDisable);
  operate(*machine, EventKind::kDirtyLogEnable);
  CHECK(machine->dirty_log(0, false).value()[0] == 0);
}

TEST_CASE("nothing is logged while no slot is") {
  const auto machine = world::vm(with_pml(Flavour::kTdp));
  written_then_logged(*machine);
  operate(*machine, EventKind::kDirtyLogDisable);
  CHECK(access(*machine, 0).code == OutcomeCode::kHit);
  operate(*machine, EventKind::kDirtyLogEnable);
  CHECK(machine->dirty_log(0, false).value()[0] == 0);
}

TEST_CASE("writes through every alias are logged under the slot's frame") {
  for (const Flavour flavour : kFlavours) {
    for (const char* strategy : {"stolen-bits", "duplicate-slots", "precise"}) {
      CAPTURE(strategy);
      MachineConfig config = with_pml(flavour);
      config.strategy = strategy;
      config.preset = "bits:47";
      config.tlb = mmu::TlbShape::small(24);
      const auto machine = world::vm(config);
      world::add(*machine, {.bytes = 4 * kMiB});
      access(*machine, mmu::bit(47) + kPage);
      operate(*machine, EventKind::kDirtyLogEnable);
      for (int round = 0; round < 2; ++round) {
        CHECK(access(*machine, mmu::bit(47) + kPage).code == OutcomeCode::kHit);
        CHECK(access(*machine, mmu::bit(47) + kPage).code == OutcomeCode::kHit);
        CHECK(machine->dirty_log(0, false).value()[0] == 2);
      }
      CHECK(machine->violations().empty());
    }
  }
}

TEST_CASE("private memory is in no page-modification log") {
  MachineConfig config = with_pml(Flavour::kTdp);
  config.strategy = "stolen-bits";
  config.preset = "tdx47";
  const auto machine = world::vm(config);
  world::add(*machine, {.bytes = 4 * kMiB});
  access(*machine, 0);
  operate(*machine, EventKind::kDirtyLogEnable);
  CHECK(leaf_at(*machine, 0).has(mmu::ept::kDirty));
  access(*machine, 0);
  CHECK(machine->dirty_log(0, false).value()[0] == 0);
}

namespace {

// Logged from the start with every page dirty, and one 2M leaf of each 2M.
std::unique_ptr<mmu::Machine> all_set(MachineConfig config) {
  auto machine = world::vm(config);
  REQUIRE(!machine->enable_cap(168, 0, 3));
  world::add(*machine, {.bytes = 8 * kMiB, .backing = 2});
  for (std::uint64_t at = 0; at < 8 * kMiB; at += 2 * kMiB) {
    access(*machine, at);
  }
  const auto begun = operate(*machine, EventKind::kDirtyLogEnable);
  REQUIRE(begun.sptes_changed == 0);
  REQUIRE(begun.flush == 0);
  return machine;
}

void clear_pages(mmu::Machine& machine, std::uint64_t first,
                 std::uint64_t mask) {
  const std::vector<std::uint64_t> words{mask};
  const auto done = machine.clear_dirty_log(
      {.slot = 0, .first_page = first, .pages = 64}, words);
  INFO((done ? std::string() : done.error().message()));
  REQUIRE(done);
  CHECK(done.value().flush == kFull);
}

}  // namespace

TEST_CASE("a log that begins all set splits a huge page when it is cleared") {
  const auto machine = all_set({});
  CHECK(access(*machine, 0).code == OutcomeCode::kHit);
  clear_pages(*machine, 0, 0b110);
  CHECK(world::stats(*machine)["pages_4k"] == 512);
  CHECK(world::stats(*machine)["pages_2m"] == 3);
  CHECK(leaf_at(*machine, 0).is_writable());
  CHECK(armed_by(*machine, kPage) == Armed::kW);
  CHECK(armed_by(*machine, 2 * kPage) == Armed::kW);
}

TEST_CASE("a huge page that is not split loses all that would give W back") {
  for (const Flavour flavour : kFlavours) {
    MachineConfig config{.mmu = flavour};
    config.host.eager_page_split = false;
    const auto machine = all_set(config);
    clear_pages(*machine, 0, 1);
    const Spte huge = leaf_at(*machine, 0);
    CHECK(huge.has(mmu::ept::kHuge));
    CHECK((huge.raw & (mmu::ept::kWrite | mmu::ept::kMmuWritable)) == 0);
    CHECK(leaf_at(*machine, 2 * kMiB).is_writable());
    const auto fixed = access(*machine, 0);
    CHECK(fixed.code == OutcomeCode::kFixed);
    CHECK(fixed.level == 1);
    CHECK(world::stats(*machine)["pf_fast"] == 0);
  }
}

TEST_CASE("a window's last page that begins 2M does not count to it") {
  MachineConfig config;
  config.host.eager_page_split = false;
  const auto machine = world::vm(config);
  REQUIRE(!machine->enable_cap(168, 0, 3));
  // The slot begins 32 pages below a 2M boundary, so that a window spans it.
  world::add(*machine, {.gpa = 2 * kMiB - 32 * kPage,
                        .bytes = 4 * kMiB + 32 * kPage,
                        .backing = 2});
  access(*machine, 2 * kMiB);
  operate(*machine, EventKind::kDirtyLogEnable);
  // Pages 31 and 32: the second begins the 2M, and both round up to it.
  clear_pages(*machine, 0, mmu::bit(31) | mmu::bit(32));
  CHECK(leaf_at(*machine, 2 * kMiB).is_writable());
  clear_pages(*machine, 0, mmu::bit(30) | mmu::bit(33));
  CHECK(!leaf_at(*machine, 2 * kMiB).is_writable());
}
