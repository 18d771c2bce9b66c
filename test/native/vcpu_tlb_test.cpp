// What the TLBs of a VM do for its vCPUs: who loses an entry, and when, and
// what the events that a projection inserted have to do with what is reported.
#include "alias_world.hpp"

using mmu::EventKind;
using mmu::Flavour;
using mmu::Outcome;
using mmu::OutcomeCode;
using world::kA;
using world::kB;
using world::kPage;
using world::Setup;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;
constexpr std::uint32_t kReadonly = mmu::MemslotRegion::kReadonly;

using Vm = std::unique_ptr<mmu::Machine>;

Outcome access_on(mmu::Machine& machine, std::uint16_t vcpu,
                  std::uint64_t gpa) {
  const auto outcome =
      machine.step({.access = mmu::kAccessWrite, .vcpu = vcpu, .gpa = gpa});
  REQUIRE(outcome);
  return outcome.value();
}

// Whether the access is served without a walk.
bool is_cached(mmu::Machine& machine, std::uint64_t gpa) {
  return world::access(machine, gpa, mmu::kAccessRead).tables_read == 0;
}

}  // namespace

TEST_CASE("a range call reaches the TLB of every vCPU") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const Vm machine = world::one_page({.strategy = "precise",
                                        .mmu = mmu,
                                        .provider = "hyperv",
                                        .tlb = true,
                                        .vcpus = 3});
    for (const std::uint16_t vcpu : {0, 1, 2}) access_on(*machine, vcpu, kA);
    world::zap(*machine, kA);
    CHECK(access_on(*machine, 2, kA).code == OutcomeCode::kFixed);
    // The others walk and find the new leaf.
    for (const std::uint16_t vcpu : {0, 1}) {
      CHECK(access_on(*machine, vcpu, kA).tables_read == 4);
    }
    CHECK(machine->violations().empty());
  }
}

TEST_CASE("an access that faults loses what was cached of its page") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const Vm machine = world::one_page(
        {.strategy = "stolen-bits", .mmu = mmu, .tlb = true}, kReadonly);
    world::access(*machine, kA, mmu::kAccessRead);
    CHECK(is_cached(*machine, kA));
    CHECK(world::access(*machine, kA).code == OutcomeCode::kEmulate);
    CHECK(!is_cached(*machine, kA));
    CHECK(is_cached(*machine, kA));
  }
}

TEST_CASE("a hit saves its translation from eviction") {
  mmu::MachineConfig config;
  config.tlb = mmu::TlbShape::small(2, 2);
  const Vm machine = world::vm(config);
  world::add(*machine, {.bytes = 8 * kPage});
  world::access(*machine, 0);
  world::access(*machine, kPage);
  CHECK(is_cached(*machine, 0));
  world::access(*machine, 2 * kPage);
  CHECK(is_cached(*machine, 0));
  CHECK(!is_cached(*machine, kPage));
}

TEST_CASE("what a projection inserted takes no number from what follows") {
  for (const std::uint8_t inserted :
       {std::uint8_t{0}, mmu::kAttributesInserted}) {
    CAPTURE(int(inserted));
    const Vm machine = world::one_page({"v5-as-posted", kTdp, "tdx47"});
    for (int i = 0; i < 3; ++i) {
      REQUIRE(machine->step({.kind = EventKind::kAttributes,
                             .access = inserted,
                             .gpa = kA,
                             .bytes = kPage}));
    }
    CHECK(world::access(*machine, kB).code == OutcomeCode::kStuck);
    REQUIRE(world::fired(*machine, "alias-stuck") == 1);
    for (const mmu::ViolationView& found : machine->violations()) {
      CHECK(found.first_event == (inserted != 0 ? 0 : 3));
    }
  }
}
