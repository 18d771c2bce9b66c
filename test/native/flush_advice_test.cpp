// Advisory flush-wider-than-live (D8): fires where a flush covers an alias that
// had nothing to lose, and nowhere else.
#include "alias_world.hpp"

using mmu::EventKind;
using mmu::Flavour;
using world::kA;
using world::kB;
using world::kPage;
using world::Setup;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;

using Vm = std::unique_ptr<mmu::Machine>;

// How often it fired. Whatever it says, no rule is broken by it.
std::uint64_t advised(const mmu::Machine& machine) {
  const auto found = machine.advisories();
  if (found.empty()) return 0;
  CHECK(found.size() == 1);
  CHECK(found[0].rule == "flush-wider-than-live");
  CHECK(found[0].defect == "D8");
  return found[0].count;
}

// The page touched through these aliases, and zapped.
Vm zapped(const Setup& setup, std::initializer_list<std::uint64_t> touched) {
  Vm machine = world::one_page(setup);
  for (const std::uint64_t gpa : touched) world::access(*machine, gpa);
  world::zap(*machine, kA);
  return machine;
}

}  // namespace

TEST_CASE("advice: two alias bits flush everything for one live alias (D8)") {
  for (const auto strategy : {"v5-as-posted", "stolen-bits"}) {
    CAPTURE(std::string(strategy));
    const Setup setup{strategy, kRmap, "bits:46,47", "hyperv"};
    const Vm machine = zapped(setup, {kA});
    CHECK(advised(*machine) == 1);
    // The first alias without a leaf, and the event of the zap.
    CHECK(machine->advisories()[0].gpa == (kA | mmu::bit(46)));
    CHECK(machine->advisories()[0].first_event == 1);
    CHECK(machine->violations().empty());
  }
}

TEST_CASE("advice: one alias bit and two calls, of which one is needed") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const Setup setup{"stolen-bits", mmu, "bits:47", "hyperv"};
    CHECK(advised(*zapped(setup, {kA})) == 1);
    CHECK(zapped(setup, {kA})->advisories()[0].gpa == kB);
    CHECK(zapped(setup, {kB})->advisories()[0].gpa == kA);
    CHECK(advised(*zapped(setup, {kA, kB})) == 0);
  }
}

TEST_CASE("advice: precise never flushes wider than live") {
  for (const auto preset : {"bits:47", "bits:46,47", "tdx47"}) {
    for (const Flavour mmu : {kTdp, kRmap}) {
      const Setup setup{"precise", mmu, preset, "fail:2", /*tlb=*/true};
      const Vm machine = world::one_page(setup, mmu::MemslotRegion::kLogDirty);
      for (int i = 0; i < 4; ++i) {
        world::access(*machine, i % 2 == 0 ? kA : kB);
        world::take_log(*machine);
        world::zap(*machine, kA);
      }
      CHECK(machine->flushes().range + machine->flushes().full > 0);
      CHECK(advised(*machine) == 0);
    }
  }
}

TEST_CASE("advice: a leaf that two aliases share was live through both (D1b)") {
  const Setup setup{"v5-as-reviewed", kRmap, "bits:47", "hyperv"};
  CHECK(advised(*zapped(setup, {kA})) == 1);
  CHECK(advised(*zapped(setup, {kA, kB})) == 0);
  // In the other flavour the alias never gets to the leaf.
  CHECK(advised(*zapped({"v5-as-reviewed", kTdp, "bits:47", "hyperv"},
                        {kA, kB})) == 1);
}

TEST_CASE("advice: a leaf that lost nothing is live") {
  const Vm machine = world::one_page({"stolen-bits", kTdp, "bits:47", "hyperv"},
                                     mmu::MemslotRegion::kLogDirty);
  world::access(*machine, kA);
  world::access(*machine, kB, mmu::kAccessRead);
  world::take_log(*machine);
  // Only A loses W now.
  world::access(*machine, kA);
  world::take_log(*machine);
  CHECK(machine->flushes().range == 4);
  CHECK(advised(*machine) == 0);
  world::unmap_host(*machine, kA);
  world::access(*machine, kA);
  world::take_log(*machine);
  CHECK(advised(*machine) == 1);
}

TEST_CASE("advice: a translation that a forgotten flush left behind is live") {
  // The provider fails the second call, which nobody looks at (B14): B is
  // cached and not mapped.
  const Setup setup{"stolen-bits", kRmap, "bits:47", "fail:2", /*tlb=*/true};
  const Vm machine = zapped(setup, {kA, kB});
  world::access(*machine, kA);
  world::zap(*machine, kA);
  CHECK(advised(*machine) == 0);
  const Vm without =
      zapped({"stolen-bits", kRmap, "bits:47", "fail:2"}, {kA, kB});
  world::access(*without, kA);
  world::zap(*without, kA);
  CHECK(advised(*without) == 1);
}

TEST_CASE("advice: what a failed call makes necessary is not judged") {
  const Setup setup{"stolen-bits", kRmap, "bits:47", "fail:1"};
  const Vm machine = zapped(setup, {kA, kB});
  CHECK(machine->flushes().full == 1);
  CHECK(advised(*machine) == 0);
}

TEST_CASE("advice: none without aliases or without a range provider") {
  for (const Setup& setup :
       {Setup{"none", kTdp, "bits:47", "hyperv", /*tlb=*/true},
        Setup{"stolen-bits", kTdp, "bits:47", "none", /*tlb=*/true}}) {
    const Vm machine = zapped(setup, {kA});
    const auto judged = machine->judged();
    CHECK(std::ranges::count(judged, "alias-stuck") == 1);
    CHECK(std::ranges::count(judged, "flush-wider-than-live") == 0);
    CHECK(advised(*machine) == 0);
  }
  CHECK(world::one_page({"none", kTdp, "none", "hyperv"})->judged().empty());
}

TEST_CASE("advice: a log whose pages were zapped is flushed for nothing") {
  for (const auto strategy : {"duplicate-slots", "v5-as-posted"}) {
    CAPTURE(std::string(strategy));
    const Vm machine = world::one_page({strategy, kTdp, "bits:47", "hyperv"},
                                       mmu::MemslotRegion::kLogDirty);
    world::access(*machine, kA);
    world::zap(*machine, kA);
    CHECK(advised(*machine) == 0);
    world::take_log(*machine);
    CHECK(machine->flushes().range == 2);
    CHECK(advised(*machine) == 1);
  }
}
