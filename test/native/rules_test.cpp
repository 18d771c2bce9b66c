// Rules on the tables: each fires where a strategy's source is wrong, and only
// there. Those on what a TLB still has are in rules_tlb_test.cpp.
#include <random>

#include "alias_world.hpp"

using mmu::EventKind;
using mmu::Flavour;
using mmu::OutcomeCode;
using world::defect_of;
using world::fired;
using world::kA;
using world::kB;
using world::kBit;
using world::kPage;
using world::Setup;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;
constexpr std::uint32_t kLogDirty = mmu::MemslotRegion::kLogDirty;
constexpr std::uint64_t kApic = 0xfee00000;

const std::string kSilent = "(silent)";

using Vm = std::unique_ptr<mmu::Machine>;

void delete_slot(mmu::Machine& machine, std::uint32_t slot = 0) {
  REQUIRE(machine.set_memslot({.slot = slot}));
}

// Four pages, everything that can happen to them, all strategies alike.
void storm(mmu::Machine& machine, std::uint32_t seed) {
  std::mt19937 random(seed);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t gpa = kA + random() % 4 * kPage;
    switch (random() % 24) {
      case 0:
        world::zap(machine, gpa);
        break;
      case 1:
        world::unmap_host(machine, gpa);
        break;
      case 2:
        world::operate(machine, EventKind::kZapAllFast);
        break;
      case 3:
        world::take_log(machine);
        break;
      case 4:
      case 5:
      case 6:
        world::convert(machine, gpa, kPage, random() % 2 == 0);
        break;
      default:
        world::access(machine, gpa | (random() % 2 == 0 ? kBit : 0),
                      static_cast<std::uint8_t>(random() % 7 + 1));
    }
  }
}

}  // namespace

TEST_CASE("alias-stuck: only where KVM walks by the stripped frame (D1a)") {
  for (const auto strategy : {"v5-as-posted", "v5-as-reviewed"}) {
    const Vm tdp = world::one_page({strategy, kTdp});
    world::access(*tdp, kA);
    CHECK(tdp->violations().empty());
    world::access(*tdp, kB);
    world::access(*tdp, kB);
    CHECK(fired(*tdp, "alias-stuck") == 2);
    CHECK(defect_of(*tdp, "alias-stuck") == "D1a");
    const Vm rmap = world::one_page({strategy, kRmap});
    world::access(*rmap, kB);
    CHECK(fired(*rmap, "alias-stuck") == 0);
  }
}

TEST_CASE("alias-shared-leaf: only where two roots' entries meet (D1b)") {
  for (const auto strategy : {"v5-as-posted", "stolen-bits", "precise"}) {
    const Vm machine = world::one_page({strategy, kRmap});
    world::access(*machine, kA);
    CHECK(machine->violations().empty());
    world::access(*machine, kB);
    const bool shares = strategy == std::string_view("v5-as-posted");
    CHECK(defect_of(*machine, "alias-shared-leaf") ==
          (shares ? "D1b" : kSilent));
  }
}

TEST_CASE("permission-leak: an execute-only alias that reads (D1b)") {
  const Vm leaks = world::one_page({"v5-as-posted", kRmap, "xo:47"});
  world::access(*leaks, kA);
  world::fetch(*leaks, kB);
  CHECK(fired(*leaks, "permission-leak") == 0);
  world::access(*leaks, kB, mmu::kAccessRead);
  world::access(*leaks, kB, mmu::kAccessWrite);
  CHECK(fired(*leaks, "permission-leak") == 2);
  CHECK(defect_of(*leaks, "permission-leak") == "D1b");
  // There the alias cannot be used at all.
  const Vm stuck = world::one_page({"v5-as-posted", kTdp, "xo:47"});
  world::access(*stuck, kB, mmu::kAccessRead);
  CHECK(fired(*stuck, "permission-leak") == 0);
}

TEST_CASE("permission-leak: silent where each alias has leaves of its own") {
  for (const auto& [strategy, mmu] :
       {std::pair{"stolen-bits", kRmap}, std::pair{"stolen-bits", kTdp},
        std::pair{"duplicate-slots", kTdp}, std::pair{"precise", kRmap}}) {
    const Vm machine = world::one_page({strategy, mmu, "xo:47"});
    world::access(*machine, kA);
    CHECK(world::fetch(*machine, kB).code == OutcomeCode::kFixed);
    CHECK(world::access(*machine, kB, mmu::kAccessRead).code ==
          OutcomeCode::kRetry);
    CHECK(world::access(*machine, kB).code == OutcomeCode::kRetry);
    CHECK(world::fetch(*machine, kB).code == OutcomeCode::kHit);
    CHECK(machine->violations().empty());
  }
}

TEST_CASE("permission-leak: one leaf for private and shared (D1a, D1b)") {
  for (const auto& [mmu, defect] :
       {std::pair{kTdp, "D1a"}, std::pair{kRmap, "D1b"}}) {
    const Vm machine = world::one_page({"v5-as-posted", mmu, "tdx47"});
    world::access(*machine, kB);
    CHECK(fired(*machine, "permission-leak") == 0);
    // What the shared access left behind serves the private one.
    world::access(*machine, kA);
    CHECK(fired(*machine, "permission-leak") == (mmu == kTdp ? 1 : 0));
    world::access(*machine, kB);
    world::access(*machine, kA);
    CHECK(fired(*machine, "permission-leak") >= 1);
    CHECK(defect_of(*machine, "permission-leak") == defect);
  }
  const Vm apart = world::one_page({"stolen-bits", kRmap, "tdx47"});
  for (int i = 0; i < 3; ++i) {
    world::access(*apart, kA);
    world::access(*apart, kB);
  }
  CHECK(apart->violations().empty());
}

TEST_CASE("internal-slot-aliased: both aliases were answered fixed (D5)") {
  const Setup v5{
      .strategy = "v5-as-posted", .mmu = kRmap, .internal_slots = true};
  const Vm machine = world::vm(v5);
  world::access(*machine, kApic);
  // The same leaf: KVM has nothing to fix.
  CHECK(world::access(*machine, kApic | kBit).code == OutcomeCode::kSpurious);
  CHECK(fired(*machine, "internal-slot-aliased") == 0);
  world::zap(*machine, kApic);
  CHECK(world::access(*machine, kApic | kBit).code == OutcomeCode::kFixed);
  CHECK(fired(*machine, "internal-slot-aliased") == 1);
  CHECK(defect_of(*machine, "internal-slot-aliased") == "D5");
  // The user's memory may be aliased.
  world::add(*machine, {.gpa = kA, .bytes = kPage});
  world::access(*machine, kA);
  world::zap(*machine, kA);
  world::access(*machine, kB);
  CHECK(fired(*machine, "internal-slot-aliased") == 1);

  const Vm s1 = world::vm(
      Setup{.strategy = "stolen-bits", .mmu = kRmap, .internal_slots = true});
  for (int i = 0; i < 2; ++i) {
    world::access(*s1, kApic);
    world::access(*s1, kApic | kBit);
    world::zap(*s1, kApic);
  }
  CHECK(s1->violations().empty());
}

TEST_CASE("internal-slot-aliased: an alias that is stuck does not count") {
  for (const std::uint64_t first : {std::uint64_t{0}, kBit}) {
    const Vm machine =
        world::vm(Setup{.strategy = "v5-as-posted", .internal_slots = true});
    world::access(*machine, kApic | first);
    world::zap(*machine, kApic);
    // KVM installs a leaf for alias 0; hardware never gets there with the bit.
    world::access(*machine, kApic | (first ^ kBit));
    CHECK(fired(*machine, "alias-stuck") == 1);
    CHECK(fired(*machine, "internal-slot-aliased") == 0);
  }
}

TEST_CASE("alias-left-mapped: private leaves outlive their slot (K1)") {
  for (const bool moves : {false, true}) {
    const Vm machine = world::one_page({"stolen-bits-tdx", kRmap, "tdx47"});
    world::access(*machine, kA);
    if (moves) {
      mmu::MemslotRegion region =
          world::Slot{.gpa = kA, .bytes = kPage}.region();
      region.gpa += 16 * kPage;
      REQUIRE(machine->set_memslot(region));
    } else {
      delete_slot(*machine);
    }
    CHECK(world::is_mapped(*machine, kA));
    CHECK(fired(*machine, "alias-left-mapped") == 1);
    CHECK(defect_of(*machine, "alias-left-mapped") == "K1");
    CHECK(machine->violations()[0].gpa == kA);
  }
  // A shared mapping goes with the slot, and a zap reaches both kinds.
  const Vm shared = world::one_page({"stolen-bits-tdx", kRmap, "tdx47"});
  world::access(*shared, kA);
  world::zap(*shared, kA);
  world::access(*shared, kB);
  delete_slot(*shared);
  CHECK(shared->violations().empty());
}

TEST_CASE("alias-left-mapped: silent for everybody else") {
  for (const mmu::StrategyView& view : mmu::strategies()) {
    for (const Flavour mmu : {kTdp, kRmap}) {
      for (const std::string_view preset : {"bits:47", "tdx47"}) {
        const Setup setup{view.name, mmu, preset};
        const auto reason = mmu::not_applicable(setup.config());
        if (!reason.value().empty() || view.name == "stolen-bits-tdx") continue;
        CAPTURE(view.name);
        CAPTURE(preset);
        const Vm machine = world::one_page(setup);
        for (const bool zaps : {true, false}) {
          world::access(*machine, kA);
          world::access(*machine, kB);
          if (zaps) world::zap(*machine, kA);
        }
        delete_slot(*machine);
        CHECK(fired(*machine, "alias-left-mapped") == 0);
        CHECK(machine->leaves(false).empty());
      }
    }
  }
}

TEST_CASE("private-shared-coexist: silent for the four that claim exclusion") {
  for (const auto& [strategy, mmu] :
       {std::pair{"mirror", kTdp}, std::pair{"role-private", kTdp},
        std::pair{"precise", kTdp}, std::pair{"precise", kRmap},
        std::pair{"stolen-bits-tdx", kRmap}}) {
    CAPTURE(std::string(strategy));
    for (const bool tlb : {false, true}) {
      const Vm machine = world::vm(Setup{
          .strategy = strategy, .mmu = mmu, .preset = "tdx47", .tlb = tlb});
      world::add(*machine, {.gpa = kA, .bytes = 4 * kPage, .flags = kLogDirty});
      storm(*machine, 7);
      CHECK(machine->violations().empty());
    }
  }
}

TEST_CASE(
    "private-shared-coexist: a leaf that outlived its slot, and a new one") {
  const Vm machine = world::one_page({"stolen-bits-tdx", kRmap, "tdx47"});
  world::access(*machine, kA);
  delete_slot(*machine);
  world::add(*machine, {.gpa = kA, .bytes = kPage});
  // No reverse map leads to the old leaf, so the fault does not zap it.
  CHECK(world::access(*machine, kB).code == OutcomeCode::kFixed);
  CHECK(world::is_mapped(*machine, kA));
  CHECK(fired(*machine, "private-shared-coexist") == 1);
}

TEST_CASE("a strategy without defects breaks no rule in any storm") {
  for (const auto& [strategy, preset] :
       {std::pair{"duplicate-slots", "bits:47"},
        std::pair{"duplicate-slots", "xo:47"}, std::pair{"precise", "xo:47"},
        std::pair{"stolen-bits", "tdx47"}}) {
    CAPTURE(std::string(strategy));
    for (const Flavour mmu : {kTdp, kRmap}) {
      const Vm machine =
          world::vm(Setup{strategy, mmu, preset, "hyperv", /*tlb=*/true});
      world::add(*machine, {.gpa = kA, .bytes = 4 * kPage, .flags = kLogDirty});
      std::mt19937 random(11);
      for (int i = 0; i < 1500; ++i) {
        const std::uint64_t gpa = kA + random() % 4 * kPage;
        const auto choice = random() % 12;
        if (choice == 0) world::zap(*machine, gpa);
        if (choice == 1) world::unmap_host(*machine, gpa);
        if (choice == 2) world::take_log(*machine);
        if (choice < 3) continue;
        world::access(*machine, gpa | (random() % 2 == 0 ? kBit : 0),
                      static_cast<std::uint8_t>(random() % 7 + 1));
      }
      CHECK(machine->violations().empty());
    }
  }
}
