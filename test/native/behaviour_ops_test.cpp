// The checklist's rows about what is done to entries: ageing, logging, huge
// pages, and hosts that do without A/D bits.
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
using world::kHvaBase;
using world::kMiB;
using world::operate;

constexpr std::uint64_t kPage = 4096;
constexpr auto kFull = static_cast<std::uint8_t>(mmu::FlushScope::kFull);

constexpr Flavour kFlavours[] = {Flavour::kTdp, Flavour::kRmap};

MachineConfig config_of(Flavour mmu, bool ad_bits) {
  MachineConfig config{.mmu = mmu};
  config.host.ad_bits = ad_bits;
  return config;
}

Spte leaf_at(const mmu::Machine& machine, std::uint64_t gpa) {
  return {machine.walk(gpa).value().back().spte};
}

void one_slot(mmu::Machine& machine, std::uint32_t flags = 0) {
  world::add(machine, {.bytes = 4 * kMiB, .flags = flags});
}

}  // namespace

TEST_CASE("B59: ageing clears A, flushes nothing, and finds a page once") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = world::vm(config_of(flavour, true));
    one_slot(*machine);
    access(*machine, 0);
    CHECK(leaf_at(*machine, 0).has(mmu::ept::kAccessed));
    CHECK(operate(*machine, EventKind::kTestAge, kHvaBase, kPage).level == 1);
    const auto aged = operate(*machine, EventKind::kAge, kHvaBase, kPage);
    CHECK(aged.code == OutcomeCode::kDone);
    CHECK(aged.level == 1);
    CHECK(aged.flush == 0);
    CHECK(aged.sptes_changed == 1);
    CHECK(leaf_at(*machine, 0).raw == 0x8600000000000a77);
    const auto again = operate(*machine, EventKind::kAge, kHvaBase, kPage);
    CHECK(again.level == 0);
    CHECK(again.sptes_changed == 0);
    CHECK(operate(*machine, EventKind::kTestAge, kHvaBase, kPage).level == 0);
    CHECK(access(*machine, 0, mmu::kAccessRead).code == OutcomeCode::kHit);
    CHECK(operate(*machine, EventKind::kTestAge, kHvaBase, kPage).level == 1);
  }
}

TEST_CASE("B59: a page is young again after a write that had to be let in") {
  for (const unsigned tlb : {0u, 12u}) {
    const auto machine = world::vm({.tlb = mmu::TlbShape::small(tlb)});
    one_slot(*machine, mmu::MemslotRegion::kLogDirty);
    access(*machine, 0);
    operate(*machine, EventKind::kDirtyLogGet);
    operate(*machine, EventKind::kAge, kHvaBase, kPage);
    CHECK(access(*machine, 0).code == OutcomeCode::kFixed);
    CHECK(operate(*machine, EventKind::kTestAge, kHvaBase, kPage).level == 1);
  }
}

TEST_CASE("B59: ageing of host pages without a slot finds nothing") {
  const auto machine = world::vm();
  one_slot(*machine);
  access(*machine, 0);
  const auto beside =
      operate(*machine, EventKind::kAge, kHvaBase + 4 * kMiB, kPage);
  CHECK(beside.level == 0);
  CHECK(beside.sptes_changed == 0);
  CHECK(leaf_at(*machine, 0).has(mmu::ept::kAccessed));
}

TEST_CASE("B59: ageing reaches a page through every alias") {
  for (const Flavour flavour : kFlavours) {
    MachineConfig config = config_of(flavour, true);
    config.strategy = "stolen-bits";
    config.preset = "bits:47";
    const auto machine = world::vm(config);
    one_slot(*machine);
    access(*machine, 0);
    access(*machine, mmu::bit(47));
    const auto aged = operate(*machine, EventKind::kAge, kHvaBase, kPage);
    CHECK(aged.sptes_changed == 2);
    CHECK(!leaf_at(*machine, mmu::bit(47)).has(mmu::ept::kAccessed));
  }
}

TEST_CASE("private memory with frames of its own is not the host's to age") {
  const auto machine = world::vm({.strategy = "mirror", .preset = "tdx47"});
  one_slot(*machine);
  CHECK(access(*machine, 0).code == OutcomeCode::kFixed);
  CHECK(operate(*machine, EventKind::kAge, kHvaBase, kPage).level == 0);
  CHECK(leaf_at(*machine, 0).has(mmu::ept::kAccessed));
}

TEST_CASE("without A/D bits leaves and links say so, and hardware is silent") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = world::vm(config_of(flavour, false));
    one_slot(*machine);
    CHECK(access(*machine, 0, mmu::kAccessRead).code == OutcomeCode::kFixed);
    const auto steps = machine->walk(0).value();
    REQUIRE(steps.size() == 4);
    CHECK(steps[3].spte == 0x8610000000000b77);
    for (int i = 0; i < 3; ++i) {
      CHECK((steps[i].spte & ~mmu::ept::kAddress) == 0x8010000000000807);
    }
  }
}

TEST_CASE("without A/D bits nobody prefetches") {
  const auto machine = world::vm(config_of(Flavour::kRmap, false));
  one_slot(*machine);
  access(*machine, 0);
  CHECK(machine->leaves(false).size() == 1);
}

TEST_CASE("an aged page without A/D bits faults once, on the fast path") {
  for (const Flavour flavour : kFlavours) {
    const auto machine = world::vm(config_of(flavour, false));
    one_slot(*machine);
    access(*machine, 0);
    const auto aged = operate(*machine, EventKind::kAge, kHvaBase, kPage);
    CHECK(aged.level == 1);
    CHECK(aged.sptes_changed == 1);
    CHECK(aged.flush == 0);
    CHECK(leaf_at(*machine, 0).raw == 0x8750000000000a70);
    CHECK(operate(*machine, EventKind::kAge, kHvaBase, kPage).level == 0);
    const auto read = access(*machine, 0, mmu::kAccessRead);
    CHECK(read.code == OutcomeCode::kFixed);
    CHECK(read.sptes_changed == 1);
    CHECK(leaf_at(*machine, 0).raw == 0x8610000000000b75);
    CHECK(operate(*machine, EventKind::kTestAge, kHvaBase, kPage).level == 1);
    CHECK(access(*machine, 0).code == OutcomeCode::kFixed);
    CHECK(leaf_at(*machine, 0).raw == 0x8610000000000b77);
    auto counts = world::stats(*machine);
    CHECK(counts["pf_taken"] == 3);
    CHECK(counts["pf_fixed"] == 3);
    CHECK(counts["pf_fast"] == 2);
  }
}

TEST_CASE("without A/D bits a first touch is not tried fast") {
  const auto machine = world::vm(config_of(Flavour::kTdp, false));
  one_slot(*machine);
  access(*machine, 0);
  CHECK(world::stats(*machine)["pf_fast"] == 0);
}

TEST_CASE("an aged page that may not be written is not fixed for a write") {
  const auto machine = world::vm(config_of(Flavour::kTdp, false));
  one_slot(*machine, mmu::MemslotRegion::kReadonly);
  access(*machine, 0, mmu::kAccessRead);
  operate(*machine, EventKind::kAge, kHvaBase, kPage);
  CHECK(access(*machine, 0).code == OutcomeCode::kEmulate);
  CHECK(leaf_at(*machine, 0).permissions() == 0);
}

TEST_CASE(
    "B53: without A/D bits a page that KVM finds mapped is spurious, fast") {
  // Hardware walks through the alias, KVM by the stripped frame: the guest is
  // stuck, and each time it is the fast path that has nothing to do.
  MachineConfig config = config_of(Flavour::kTdp, false);
  config.strategy = "v5-as-posted";
  config.preset = "bits:47";
  const auto machine = world::vm(config);
  one_slot(*machine);
  access(*machine, 0);
  CHECK(access(*machine, mmu::bit(47)).code == OutcomeCode::kStuck);
  auto counts = world::stats(*machine);
  CHECK(counts["pf_spurious"] == 2);
  CHECK(counts["pf_fast"] == 2);
}

TEST_CASE("what is cached of an aged page is used on, until a flush") {
  MachineConfig config = config_of(Flavour::kTdp, false);
  config.tlb = mmu::TlbShape::small(12);
  const auto machine = world::vm(config);
  one_slot(*machine, mmu::MemslotRegion::kLogDirty);
  access(*machine, 0);
  operate(*machine, EventKind::kAge, kHvaBase, kPage);
  CHECK(access(*machine, 0).code == OutcomeCode::kHit);
  // W is gone already, and the log is armed all the same.
  CHECK(operate(*machine, EventKind::kDirtyLogGet).flush == kFull);
  CHECK(access(*machine, 0).code == OutcomeCode::kFixed);
  CHECK(machine->memslot(0)->dirty_pages == 1);
  CHECK(machine->violations().empty());
}

TEST_CASE("precise flushes what ageing left cached when it arms a log") {
  MachineConfig config = config_of(Flavour::kTdp, false);
  config.tlb = mmu::TlbShape::small(12);
  config.strategy = "precise";
  config.preset = "bits:47";
  for (const Flavour flavour : kFlavours) {
    config.mmu = flavour;
    const auto machine = world::vm(config);
    one_slot(*machine, mmu::MemslotRegion::kLogDirty);
    access(*machine, 0);
    operate(*machine, EventKind::kAge, kHvaBase, kPage);
    operate(*machine, EventKind::kDirtyLogGet);
    CHECK(access(*machine, 0).code == OutcomeCode::kFixed);
    CHECK(machine->violations().empty());
  }
}
