// Rules on what a TLB still has: a translation that a flush should have
// removed, and a write that no log holds.
#include "alias_world.hpp"

using mmu::EventKind;
using mmu::Flavour;
using mmu::OutcomeCode;
using world::defect_of;
using world::fired;
using world::kA;
using world::kB;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;
constexpr std::uint32_t kLogDirty = mmu::MemslotRegion::kLogDirty;

using Vm = std::unique_ptr<mmu::Machine>;

// Both aliases cached as writable, then a dirty round.
Vm after_dirty_round(std::string_view strategy, std::string_view provider,
                     Flavour mmu = kRmap, int rounds = 1) {
  Vm machine = world::one_page(
      {strategy, mmu, "bits:47", provider, /*tlb=*/true}, kLogDirty);
  for (int i = 0; i < rounds; ++i) {
    world::access(*machine, kA);
    world::access(*machine, kB);
    world::take_log(*machine);
  }
  return machine;
}

}  // namespace

TEST_CASE("stale-translation, dirty-lost: the alias that no call named (D2)") {
  const Vm machine = after_dirty_round("v5-as-posted", "hyperv");
  CHECK(fired(*machine, "stale-translation") == 0);
  CHECK(world::access(*machine, kB).tables_read == 0);
  CHECK(fired(*machine, "stale-translation") == 1);
  CHECK(fired(*machine, "dirty-lost") == 1);
  CHECK(defect_of(*machine, "stale-translation") == "D2");
  CHECK(defect_of(*machine, "dirty-lost") == "D2");
  // One flush is missed once; every write is lost.
  world::access(*machine, kB);
  CHECK(fired(*machine, "stale-translation") == 1);
  CHECK(fired(*machine, "dirty-lost") == 2);
  for (const mmu::ViolationView& found : machine->violations()) {
    CHECK(found.gpa == kB);
  }
  // Reading is as stale as writing, and loses nothing.
  const Vm reader = after_dirty_round("v5-as-posted", "hyperv");
  world::access(*reader, kB, mmu::kAccessRead);
  CHECK(fired(*reader, "stale-translation") == 1);
  CHECK(fired(*reader, "dirty-lost") == 0);
}

TEST_CASE("a violation's first event counts every event of the VM") {
  const Vm machine = after_dirty_round("v5-as-posted", "hyperv");
  world::access(*machine, kA);
  world::access(*machine, kB);
  world::access(*machine, kB);
  for (const mmu::ViolationView& found : machine->violations()) {
    CAPTURE(found.rule);
    // Two writes, a round, A's write: 0 to 3. An alias that shares A's leaf
    // is found out when it is linked, by event 1.
    CHECK(found.first_event == (found.rule == "alias-shared-leaf" ? 1 : 4));
  }
  CHECK(machine->violations().size() == 2);
}

TEST_CASE("stale-translation is silent where everything is flushed") {
  for (const std::string_view provider : {"none", "fail:1"}) {
    const Vm machine = after_dirty_round("v5-as-posted", provider);
    CHECK(world::access(*machine, kB).code == OutcomeCode::kFixed);
    CHECK(fired(*machine, "stale-translation") == 0);
    CHECK(fired(*machine, "dirty-lost") == 0);
  }
  const Vm reviewed = after_dirty_round("v5-as-reviewed", "hyperv");
  CHECK(world::access(*reviewed, kB).code == OutcomeCode::kFixed);
  CHECK(fired(*reviewed, "stale-translation") == 0);
}

TEST_CASE("stale-translation: B14 needs the second call to fail") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const Vm second = after_dirty_round("stolen-bits", "fail:2", mmu);
    CHECK(world::access(*second, kB).tables_read == 0);
    CHECK(defect_of(*second, "stale-translation") == "B14");
    CHECK(defect_of(*second, "dirty-lost") == "B14");
    // With fail:3 two rounds make two good calls, then one that is heeded.
    const Vm third = after_dirty_round("stolen-bits", "fail:3", mmu, 2);
    CHECK(world::access(*third, kB).code == OutcomeCode::kFixed);
    CHECK(third->violations().empty());
    const Vm heeded = after_dirty_round("precise", "fail:2", mmu);
    CHECK(world::access(*heeded, kB).code == OutcomeCode::kFixed);
    CHECK(heeded->violations().empty());
  }
}

TEST_CASE("stale-translation: zap-all-fast leaves nothing that can be used") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const Vm machine = world::one_page(
        {"stolen-bits", mmu, "bits:47", "hyperv", /*tlb=*/true});
    world::access(*machine, kA);
    world::operate(*machine, EventKind::kZapAllFast);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
    CHECK(machine->violations().empty());
  }
}

// Of a slot's pages one is cleared: the other may be written as before.
TEST_CASE("stale-translation is silent about W that ageing took") {
  constexpr std::uint64_t kWindow = 64 * world::kPage;
  for (const Flavour mmu : {kTdp, kRmap}) {
    mmu::MachineConfig config =
        world::Setup{"precise", mmu, "bits:47", "hyperv", /*tlb=*/true}
            .config();
    config.vcpus = 2;
    config.host.ad_bits = false;
    const Vm machine = world::vm(config);
    REQUIRE(!machine->enable_cap(168, 0, 1));
    world::add(*machine, {.bytes = 2 * kWindow, .flags = kLogDirty});
    world::access(*machine, 0);
    world::access(*machine, kWindow);
    world::operate(*machine, EventKind::kAge, world::kHvaBase, world::kPage);
    REQUIRE(machine->step({.access = mmu::kAccessRead, .vcpu = 1, .gpa = 0}));
    world::operate(*machine, EventKind::kDirtyLogClear, kWindow, kWindow);
    CHECK(machine->flushes().pages == 1);
    CHECK(world::access(*machine, 0).code == OutcomeCode::kHit);
    CHECK(machine->violations().empty());
  }
}

// Ageing takes W without a flush, and a read gives back all but W: there is
// nothing left to take, and still something to flush.
TEST_CASE("dirty-lost: precise flushes what ageing has left cached") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    for (const bool logs_later : {false, true}) {
      mmu::MachineConfig config =
          world::Setup{"precise", mmu, "bits:47", "hyperv", /*tlb=*/true}
              .config();
      config.vcpus = 2;
      config.host.ad_bits = false;
      const Vm machine = world::vm(config);
      world::add(*machine, {.gpa = kA,
                            .bytes = world::kPage,
                            .flags = logs_later ? 0 : kLogDirty});
      world::access(*machine, kA);
      world::operate(*machine, EventKind::kAge, world::kHvaBase + kA,
                     world::kPage);
      REQUIRE(
          machine->step({.access = mmu::kAccessRead, .vcpu = 1, .gpa = kA}));
      if (logs_later) {
        world::operate(*machine, EventKind::kDirtyLogEnable);
      } else {
        world::take_log(*machine);
      }
      CHECK(machine->audit().findings.empty());
      CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
      CHECK(machine->violations().empty());
    }
  }
}

TEST_CASE(
    "stale-translation: of a huge entry, the frames that were asked for") {
  mmu::MachineConfig config =
      world::Setup{"v5-as-posted", kRmap, "bits:47", "hyperv"}.config();
  config.tlb = {
      .arrays = {{16, 4, mmu::TlbGeometry::k4K | mmu::TlbGeometry::k2M}}};
  constexpr std::uint64_t kHuge = 2 * world::kMiB;
  const Vm machine = world::vm(config);
  world::add(*machine, {.gpa = kHuge, .bytes = kHuge, .backing = 2});
  world::access(*machine, kHuge);
  world::access(*machine, kHuge | world::kBit);
  // Takes the leaf, and has the page flushed at the address without the bit.
  world::zap(*machine, kHuge);
  const mmu::Outcome other =
      world::access(*machine, (kHuge + world::kPage) | world::kBit);
  CHECK(other.tables_read == 0);
  CHECK(other.level == 2);
  CHECK(fired(*machine, "stale-translation") == 0);
  world::access(*machine, kHuge | world::kBit);
  CHECK(fired(*machine, "stale-translation") == 1);
  world::access(*machine, kHuge | world::kBit);
  CHECK(fired(*machine, "stale-translation") == 1);
}
