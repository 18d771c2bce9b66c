// The end of a slot and the conversion of pages: what goes, what stays, and
// the flushes in between.
#include "alias_world.hpp"

using mmu::Flavour;
using mmu::Outcome;
using mmu::OutcomeCode;
using world::Flushed;
using world::kA;
using world::kB;
using world::kBit;
using world::kMiB;
using world::kPage;
using world::Setup;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;

using Vm = std::unique_ptr<mmu::Machine>;

std::string text(const Flushed& flushed) { return world::to_text(flushed); }

// A slot of one page is deleted after A alone, or B alone, was written.
struct End {
  std::uint64_t changed;
  Flushed flushed;
};
struct Row {
  Setup setup;
  End with_a;
  End with_b;
};

Outcome end_of_slot(mmu::Machine& machine, std::uint32_t slot = 0) {
  const auto done = machine.set_memslot({.slot = slot});
  REQUIRE(done);
  return done.value();
}

}  // namespace

TEST_CASE("a slot's end drops the shared tree, and private leaves by policy") {
  const Flushed nothing{};
  const Flushed full{.full = 1};
  const Flushed call{.range = 1, .pages = 1};
  const Row rows[] = {
      {{"none", kTdp}, {1, nothing}, {1, nothing}},
      {{"none", kRmap}, {1, full}, {1, full}},
      {{"duplicate-slots", kTdp}, {1, nothing}, {1, nothing}},
      {{"duplicate-slots", kRmap}, {1, full}, {1, full}},
      {{"stolen-bits", kTdp}, {1, nothing}, {1, nothing}},
      {{"stolen-bits", kRmap}, {1, full}, {1, full}},
      {{"v5-as-posted", kTdp}, {1, nothing}, {1, nothing}},
      {{"v5-as-posted", kRmap}, {1, full}, {1, full}},
      {{"precise", kTdp}, {1, nothing}, {1, nothing}},
      {{"precise", kRmap}, {1, full}, {1, full}},
      {{"mirror", kTdp, "tdx47"}, {1, full}, {1, full}},
      {{"precise", kTdp, "tdx47"}, {1, full}, {1, nothing}},
      {{"precise", kTdp, "tdx47", "hyperv"}, {1, call}, {1, nothing}},
      {{"precise", kRmap, "tdx47", "hyperv"}, {1, call}, {1, full}},
      // Blocked, then dropped.
      {{"role-private", kTdp, "tdx47"}, {2, full}, {1, nothing}},
      // K1.
      {{"stolen-bits-tdx", kRmap, "tdx47"}, {0, nothing}, {1, full}},
  };
  for (const Row& row : rows) {
    for (const std::uint64_t gpa : {kA, kB}) {
      CAPTURE(row.setup.strategy);
      CAPTURE(world::name_of(row.setup.mmu));
      CAPTURE(row.setup.preset);
      CAPTURE(row.setup.provider);
      CAPTURE(gpa);
      const Vm machine = world::one_page(row.setup);
      if (gpa == kB && row.setup.preset == "tdx47") world::share(*machine, kA);
      world::access(*machine, gpa);
      const End& expected = gpa == kA ? row.with_a : row.with_b;
      Outcome outcome;
      const Flushed flushed =
          world::flushed_by(*machine, [&] { outcome = end_of_slot(*machine); });
      CHECK(outcome.sptes_changed == expected.changed);
      CHECK(text(flushed) == text(expected.flushed));
      CHECK(machine->leaves(false).empty() == (expected.changed != 0));
    }
  }
}

TEST_CASE("the end of a slot takes other slots' shared leaves along, or not") {
  for (const auto& [strategy, mmu, stays] :
       {std::tuple{"mirror", kTdp, true}, std::tuple{"precise", kTdp, false},
        std::tuple{"role-private", kTdp, false},
        std::tuple{"stolen-bits-tdx", kRmap, false}}) {
    CAPTURE(std::string(strategy));
    const Vm machine = world::one_page({strategy, mmu, "tdx47"});
    world::add(*machine, {.id = 1, .gpa = 16 * kA, .bytes = 2 * kPage});
    world::share(*machine, 16 * kA);
    world::access(*machine, 16 * kA | kBit);
    world::access(*machine, 16 * kA + kPage);
    end_of_slot(*machine);
    CHECK(world::is_mapped(*machine, 16 * kA | kBit) == stays);
    CHECK(world::is_mapped(*machine, 16 * kA + kPage));
  }
}

TEST_CASE("duplicate-slots: a slot's end is two, a generation step each way") {
  const Vm machine = world::one_page({"duplicate-slots", kTdp});
  CHECK(machine->generation(0) == 4);
  CHECK(machine->memslots().size() == 1);
  world::access(*machine, kA);
  world::access(*machine, kB);
  CHECK(end_of_slot(*machine).sptes_changed == 2);
  CHECK(machine->generation(0) == 12);
  CHECK(world::access(*machine, kB).code == OutcomeCode::kEmulate);
}

TEST_CASE("duplicate-slots: no slot of the user's lies where twins go") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    CAPTURE(world::name_of(mmu));
    mmu::MachineConfig config = Setup{"duplicate-slots", mmu, "xo:38"}.config();
    config.host_maxphyaddr = 48;
    const Vm machine = world::vm(config);
    constexpr std::uint64_t kLow = mmu::bit(38);
    const auto ask = [&](std::uint64_t gpa, std::uint64_t bytes) {
      return machine->set_memslot({.gpa = gpa, .bytes = bytes});
    };
    // In the aliases, ending in them, and through them with both ends outside.
    for (const auto& [gpa, bytes] : {std::pair{kLow, kPage},
                                     {kLow - kPage, 2 * kPage},
                                     {kLow - kPage, kLow + 2 * kPage},
                                     {kLow, kLow + kPage}}) {
      const auto refused = ask(gpa, bytes);
      REQUIRE(!refused);
      CHECK(refused.error().code == mmu::ErrorCode::kMemslotAliased);
    }
    CHECK(machine->memslots().empty());
    CHECK(machine->generation(0) == 0);
    CHECK(ask(kLow - kPage, kPage));
  }
}

TEST_CASE("a conversion zaps a huge shared leaf whole, and flushes its span") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    CAPTURE(world::name_of(mmu));
    const Vm machine = world::vm(Setup{"precise", mmu, "tdx47", "hyperv"});
    world::add(*machine, {.bytes = 4 * kMiB, .backing = 2});
    world::share(*machine, 0, 4 * kMiB);
    CHECK(world::access(*machine, kBit | 5 * kPage).level == 2);
    CHECK(world::access(*machine, kBit | 2 * kMiB).level == 2);
    Outcome outcome;
    Flushed flushed = world::flushed_by(*machine, [&] {
      outcome = world::convert(*machine, 7 * kPage, kPage, true);
    });
    CHECK(outcome.sptes_changed == 1);
    CHECK(text(flushed) == text({.range = 1, .pages = 512}));
    CHECK(world::is_mapped(*machine, kBit | 2 * kMiB));
    // Private leaves are small.
    CHECK(world::access(*machine, 7 * kPage).level == 1);
    // The range has the value already: nothing.
    flushed = world::flushed_by(
        *machine, [&] { world::convert(*machine, 7 * kPage, kPage, true); });
    CHECK(text(flushed) == text({}));
    // Back, and only the private page goes.
    flushed = world::flushed_by(*machine, [&] {
      outcome = world::convert(*machine, 0, 4 * kMiB, false);
    });
    CHECK(outcome.sptes_changed == 1);
    CHECK(text(flushed) == text({.range = 1, .pages = 1}));
  }
}

TEST_CASE("mirror: a conversion flushes everything, once") {
  const Vm machine = world::vm(Setup{"mirror", kTdp, "tdx47"});
  world::add(*machine, {.bytes = 64 * kPage});
  for (std::uint64_t page = 0; page < 10; ++page) {
    world::access(*machine, page * kPage);
  }
  Outcome outcome;
  const Flushed flushed = world::flushed_by(
      *machine, [&] { outcome = world::share(*machine, 0, 64 * kPage); });
  CHECK(outcome.sptes_changed == 10);
  CHECK(text(flushed) == text({.full = 1}));
}

TEST_CASE("pages that an ignored conversion leaves mapped are counted once") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const Vm machine = world::vm(Setup{"stolen-bits", mmu, "tdx47"});
    world::add(*machine, {.bytes = 4 * kMiB, .backing = 2});
    world::share(*machine, 0, 4 * kMiB);
    world::access(*machine, kBit);
    CHECK(machine->coexisting() == 0);
    // Three pages within the huge leaf; then again, with one more.
    CHECK(world::convert(*machine, 4 * kPage, 3 * kPage, true).flush == 0);
    CHECK(machine->coexisting() == 3);
    world::convert(*machine, 4 * kPage, 4 * kPage, true);
    CHECK(machine->coexisting() == 4);
    // Beyond the leaf nothing is mapped; nothing private is either.
    world::convert(*machine, 2 * kMiB, 2 * kMiB, true);
    world::share(*machine, 0, 4 * kMiB);
    CHECK(machine->coexisting() == 4);
    // Both are mapped from here on.
    world::access(*machine, 9 * kPage);
    world::convert(*machine, 9 * kPage, kPage, true);
    CHECK(machine->coexisting() == 5);
    world::share(*machine, 9 * kPage);
    CHECK(machine->coexisting() == 6);
  }
}

TEST_CASE("whoever zaps on a fault ignores a conversion, and counts nothing") {
  for (const auto& [strategy, mmu] :
       {std::pair{"role-private", kTdp}, std::pair{"stolen-bits-tdx", kRmap}}) {
    const Vm machine = world::one_page({strategy, mmu, "tdx47"});
    world::access(*machine, kA);
    CHECK(world::share(*machine, kA).sptes_changed == 0);
    CHECK(world::is_mapped(*machine, kA));
    CHECK(machine->coexisting() == 0);
    CHECK(!machine->is_private(kA).value());
  }
}

TEST_CASE("a new or moved slot is private, whatever its frames were") {
  const Vm machine = world::one_page({"mirror", kTdp, "tdx47"});
  CHECK(machine->is_private(kA).value());
  world::share(*machine, kA);
  mmu::MemslotRegion region = world::Slot{.gpa = kA, .bytes = kPage}.region();
  region.gpa = 4 * kA;
  REQUIRE(machine->set_memslot(region));
  CHECK(machine->is_private(4 * kA).value());
  CHECK(!machine->is_private(kA).value());
  end_of_slot(*machine);
  CHECK(machine->is_private(4 * kA).value());
  world::add(
      *machine,
      {.gpa = kA, .bytes = kPage, .flags = mmu::MemslotRegion::kReadonly});
  CHECK(!machine->is_private(kA).value());
}
