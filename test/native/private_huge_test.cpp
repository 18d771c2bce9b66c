// Huge pages beside private memory: a shared leaf never covers a page that is
// private, and strategies with small leaves never get a large one.
//
// KVM: KVM_LPAGE_MIXED_FLAG, hugepage_has_attrs() (v6.16).
#include "alias_world.hpp"

using mmu::EventKind;
using mmu::Flavour;
using mmu::Outcome;
using mmu::OutcomeCode;
using world::kBit;
using world::kMiB;
using world::kPage;
using world::Setup;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;
constexpr std::uint32_t kLogDirty = mmu::MemslotRegion::kLogDirty;

using Vm = std::unique_ptr<mmu::Machine>;

struct Kind {
  const char* strategy;
  Flavour mmu;
};
// Those whose attributes decide.
constexpr Kind kByAttribute[] = {
    {"mirror", kTdp}, {"precise", kTdp}, {"precise", kRmap}};
constexpr Kind kSmallOnly[] = {{"role-private", kTdp},
                               {"stolen-bits-tdx", kRmap}};

// 4 MiB that could be mapped with two leaves, all shared but page 7.
Vm mixed_world(const Kind& kind, std::uint32_t flags = 0) {
  Vm machine = world::vm(Setup{kind.strategy, kind.mmu, "tdx47"});
  world::add(*machine, {.bytes = 4 * kMiB, .flags = flags, .backing = 2});
  world::share(*machine, 0, 4 * kMiB);
  world::convert(*machine, 7 * kPage, kPage, true);
  return machine;
}

unsigned largest_leaf(const mmu::Machine& machine) {
  unsigned level = 0;
  for (const mmu::LeafView& leaf : machine.leaves(false)) {
    level = std::max<unsigned>(level, leaf.level);
  }
  return level;
}

}  // namespace

TEST_CASE("a shared fault maps no huge page over a private one") {
  for (const Kind& kind : kByAttribute) {
    CAPTURE(std::string(kind.strategy));
    CAPTURE(world::name_of(kind.mmu));
    const Vm machine = mixed_world(kind);
    CHECK(world::access(*machine, 7 * kPage).code == OutcomeCode::kFixed);
    CHECK(world::access(*machine, kBit | 5 * kPage).level == 1);
    CHECK(!world::is_mapped(*machine, kBit | 7 * kPage));
    // A neighbour whose pages are all shared is not held back.
    CHECK(world::access(*machine, kBit | 2 * kMiB).level == 2);
    world::access(*machine, 7 * kPage);
    CHECK(world::fired(*machine, "private-shared-coexist") == 0);
  }
}

TEST_CASE("the end of a log makes no huge page over a private one") {
  for (const Kind& kind : kByAttribute) {
    CAPTURE(std::string(kind.strategy));
    CAPTURE(world::name_of(kind.mmu));
    const Vm machine = mixed_world(kind, kLogDirty);
    world::access(*machine, 7 * kPage);
    world::access(*machine, kBit | 5 * kPage);
    world::operate(*machine, EventKind::kDirtyLogDisable);
    CHECK(largest_leaf(*machine) == 1);
    CHECK(!world::is_mapped(*machine, kBit | 7 * kPage));
    world::access(*machine, 7 * kPage);
    CHECK(world::fired(*machine, "private-shared-coexist") == 0);
  }
}

TEST_CASE("pages that agree again may share a huge leaf again") {
  for (const Kind& kind : kByAttribute) {
    CAPTURE(std::string(kind.strategy));
    CAPTURE(world::name_of(kind.mmu));
    const Vm machine = mixed_world(kind);
    world::share(*machine, 7 * kPage);
    CHECK(world::access(*machine, kBit | 5 * kPage).level == 2);
  }
}

TEST_CASE("where all leaves are small, the end of a log enlarges none") {
  for (const Kind& kind : kSmallOnly) {
    CAPTURE(std::string(kind.strategy));
    const Vm machine = mixed_world(kind, kLogDirty);
    CHECK(world::access(*machine, 7 * kPage).code == OutcomeCode::kFixed);
    CHECK(world::access(*machine, kBit | 5 * kPage).level == 1);
    const Outcome outcome =
        world::operate(*machine, EventKind::kDirtyLogDisable);
    // Nothing can be any larger than it is.
    CHECK(outcome.sptes_changed == 0);
    CHECK(outcome.flush == 0);
    CHECK(largest_leaf(*machine) == 1);
    CHECK(world::access(*machine, kBit | 5 * kPage).code == OutcomeCode::kHit);
    CHECK(world::access(*machine, kBit | 2 * kMiB).level == 1);
    CHECK(world::fired(*machine, "private-shared-coexist") == 0);
  }
}
