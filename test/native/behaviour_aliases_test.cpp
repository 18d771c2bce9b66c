// The aliases' part of the behaviour checklist, row by row.
#include "alias_world.hpp"

using mmu::ErrorCode;
using mmu::Flavour;
using mmu::Outcome;
using mmu::OutcomeCode;
using world::Flushed;
using world::kA;
using world::kB;
using world::kBit;
using world::kPage;
using world::Setup;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;
constexpr std::uint64_t kFrame = mmu::bits(51, 12);

std::uint64_t frame_of(std::uint64_t spte) { return spte & kFrame; }

mmu::Result<mmu::Outcome> try_add(mmu::Machine& machine,
                                  const world::Slot& slot) {
  return machine.set_memslot(slot.region());
}

mmu::Error refusal(const mmu::MachineConfig& config) {
  const auto made = mmu::make_machine(config);
  REQUIRE(!made);
  return made.error();
}

std::string text(const Flushed& flushed) { return world::to_text(flushed); }

// A strategy in a flavour that it has, and a preset for it.
template <class Check>
void for_each_setup(Check check) {
  for (const mmu::StrategyView& view : mmu::strategies()) {
    for (const Flavour mmu : {kTdp, kRmap}) {
      for (const std::string_view preset : {"bits:47", "tdx47"}) {
        const Setup setup{view.name, mmu, preset};
        const auto reason = mmu::not_applicable(setup.config());
        REQUIRE(reason);
        if (!reason.value().empty()) continue;
        CAPTURE(view.name);
        CAPTURE(world::name_of(mmu));
        CAPTURE(preset);
        check(setup);
      }
    }
  }
}

}  // namespace

TEST_CASE("B01: the fault keeps the alias bit, its frame does not") {
  for_each_setup([](const Setup& setup) {
    if (setup.strategy == "none" || setup.strategy == "duplicate-slots") return;
    // A hole: the MMIO entry holds the frame that the fault asked slots for.
    const auto machine = world::vm(setup);
    CHECK(world::access(*machine, kB).code == OutcomeCode::kEmulate);
    const auto entries = machine->leaves(true);
    REQUIRE(entries.size() == 1);
    CHECK(frame_of(entries[0].spte) == kA);
    const bool strips_walk =
        setup.strategy.starts_with("v5-") && setup.mmu == kTdp;
    CHECK(entries[0].gpa == (strips_walk ? kA : kB));
  });
}

TEST_CASE("B02: with bit 51 the root has level 5 and the alias its entry 8") {
  const auto view = mmu::preset_view("tdx51");
  REQUIRE(view);
  CHECK(view.value().bits == std::vector{51u});
  CHECK(view.value().root_level == 5);
  for (const auto& [strategy, mmu] :
       {std::pair{"mirror", kTdp}, std::pair{"precise", kRmap}}) {
    const auto machine = world::one_page({strategy, mmu, "tdx51"});
    world::share(*machine, kA);
    CHECK(world::access(*machine, kA | mmu::bit(51)).tables_read == 1);
    const auto steps = machine->walk(kA | mmu::bit(51));
    REQUIRE(steps);
    REQUIRE(steps.value().size() == 5);
    CHECK(steps.value()[0].level == 5);
    CHECK(steps.value()[0].gpa == 8 * mmu::bit(48));
    CHECK(steps.value()[4].is_leaf);
  }
}

TEST_CASE(
    "B03: a root of level 5 under bit 47 is refused, and 4 under bit 51") {
  for (const auto& [preset, level] :
       {std::pair{"tdx47", 5u}, std::pair{"tdx51", 4u}}) {
    mmu::MachineConfig config = Setup{"mirror", kTdp, preset}.config();
    config.root_level = level;
    const mmu::Error error = refusal(config);
    CHECK(error.code == ErrorCode::kConfig);
    CHECK(error.message().starts_with("rootLevel"));
  }
}

TEST_CASE("B04: 46 address bits walk four tables on a five-level host") {
  const auto machine = world::vm({.address_bits = 46, .host_maxphyaddr = 52});
  world::add(*machine, {.bytes = kPage});
  world::access(*machine, 0);
  CHECK(world::access(*machine, 0).tables_read == 4);
  const auto view = mmu::preset_view("bits:45");
  REQUIRE(view);
  CHECK(view.value().root_level == 4);
}

TEST_CASE("B05: a slot that ends one page above the last gfn is refused") {
  for_each_setup([](const Setup& setup) {
    const auto machine = world::vm(setup);
    const std::uint64_t end = mmu::bit(machine->config().host_maxphyaddr);
    const auto beyond =
        try_add(*machine, {.gpa = end - kPage, .bytes = 2 * kPage});
    REQUIRE(!beyond);
    // Before the alias bit is looked at.
    CHECK(beyond.error().code == ErrorCode::kMemslotBeyondMax);
    CHECK(mmu::info(beyond.error().code).errno_name == "EINVAL");
    CHECK(machine->memslots().empty());
  });
}

TEST_CASE("B06: a slot that ends in the alias half is refused") {
  for_each_setup([](const Setup& setup) {
    const auto machine = world::vm(setup);
    const bool has_alias = setup.strategy != "none";
    for (const std::uint64_t gpa : {kBit - kPage, kBit, 2 * kBit - 2 * kPage}) {
      const auto done =
          try_add(*machine, {.id = 1, .gpa = gpa, .bytes = 2 * kPage});
      REQUIRE(bool(done) == !has_alias);
      if (has_alias) {
        CHECK(done.error().code == ErrorCode::kMemslotAliased);
        CHECK(mmu::info(done.error().code).errno_name == "EINVAL");
        CHECK(machine->memslots().empty());
        CHECK(machine->generation(0) == 0);
      } else {
        REQUIRE(machine->set_memslot({.slot = 1}));
      }
    }
    CHECK(try_add(*machine, {.gpa = kBit - kPage, .bytes = kPage}));
  });
}

TEST_CASE("B06: a slot that moves into the alias half stays where it was") {
  const auto machine = world::one_page({"mirror", kTdp, "tdx47"});
  mmu::MemslotRegion region = world::Slot{.gpa = kA, .bytes = kPage}.region();
  region.gpa = kB;
  const auto moved = machine->set_memslot(region);
  REQUIRE(!moved);
  CHECK(moved.error().code == ErrorCode::kMemslotAliased);
  CHECK(machine->memslots()[0].gpa == kA);
}

TEST_CASE(
    "B08: aliases with keys of their own share the root and nothing else") {
  const auto machine = world::one_page({"stolen-bits", kRmap});
  world::access(*machine, kA);
  CHECK(world::access(*machine, kB).sptes_changed == 4);
  CHECK(world::tables_of(*machine, 4).size() == 1);
  for (unsigned level = 1; level <= 3; ++level) {
    CAPTURE(level);
    const auto tables = world::tables_of(*machine, level);
    REQUIRE(tables.size() == 2);
    CHECK(tables[1].gpa == tables[0].gpa + kBit);
    CHECK(tables[0].parents == 1);
    CHECK(tables[1].parents == 1);
  }
  CHECK(machine->leaves(false).size() == 2);
  CHECK(world::rmap_count(*machine, kA) == 2);
  CHECK(world::stats(*machine)["max_mmu_rmap_size"] == 1);
}

TEST_CASE("B09: B alone gets its leaf at A's index, and faults for ever") {
  for (const auto strategy : {"v5-as-posted", "v5-as-reviewed"}) {
    const auto machine = world::one_page({strategy, kTdp});
    const Outcome first = world::access(*machine, kB);
    CHECK(first.code == OutcomeCode::kStuck);
    CHECK(first.level == 0);
    CHECK(first.sptes_changed == 4);
    CHECK(world::is_mapped(*machine, kA));
    CHECK(!world::is_mapped(*machine, kB));
    for (std::uint64_t again = 1; again <= 3; ++again) {
      CHECK(world::stats(*machine)["pf_spurious"] == 2 * again - 1);
      CHECK(world::access(*machine, kB).sptes_changed == 0);
    }
    CHECK(world::stats(*machine)["pf_fixed"] == 1);
    CHECK(world::fired(*machine, "alias-stuck") == 4);
  }
}

TEST_CASE("B10: B after A links A's child a second time, and makes no leaf") {
  for (const auto strategy : {"v5-as-posted", "v5-as-reviewed"}) {
    const auto machine = world::one_page({strategy, kRmap});
    world::access(*machine, kA);
    const Outcome second = world::access(*machine, kB);
    CHECK(second.code == OutcomeCode::kSpurious);
    CHECK(second.sptes_changed == 1);
    const auto children = world::tables_of(*machine, 3);
    REQUIRE(children.size() == 1);
    CHECK(children[0].parents == 2);
    CHECK(world::stats(*machine)["pages_4k"] == 1);
    CHECK(world::rmap_count(*machine, kA) == 1);
    CHECK(world::entry_at(*machine, kA) == world::entry_at(*machine, kB));
  }
}

TEST_CASE("B11: with two alias bits the provider is not asked") {
  const auto machine =
      world::one_page({"v5-as-posted", kRmap, "bits:46,47", "hyperv"});
  world::access(*machine, kA);
  const Flushed flushed =
      world::flushed_by(*machine, [&] { world::zap(*machine, kA); });
  CHECK(text(flushed) == text({.full = 1}));
}

TEST_CASE("B12: one call with the stripped start, and no full flush") {
  const auto machine =
      world::one_page({"v5-as-posted", kRmap, "bits:47", "hyperv", true});
  world::access(*machine, kA);
  world::access(*machine, kB);
  const Flushed flushed =
      world::flushed_by(*machine, [&] { world::zap(*machine, kA); });
  CHECK(text(flushed) == text({.range = 1, .pages = 1}));
  // What the TLB still has tells which frames the call named.
  CHECK(world::access(*machine, kB).tables_read == 0);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
}

TEST_CASE("B13: as the review has it, the call and then a full flush") {
  const auto machine =
      world::one_page({"v5-as-reviewed", kRmap, "bits:47", "hyperv", true});
  world::access(*machine, kA);
  world::access(*machine, kB);
  const Flushed flushed =
      world::flushed_by(*machine, [&] { world::zap(*machine, kA); });
  CHECK(text(flushed) == text({.range = 1, .pages = 1, .full = 1}));
  CHECK(world::access(*machine, kB).code == OutcomeCode::kFixed);
}

TEST_CASE("B14: a second call that fails is not made good") {
  const auto machine =
      world::one_page({"stolen-bits", kRmap, "bits:47", "fail:2", true});
  world::access(*machine, kA);
  world::access(*machine, kB);
  const Flushed flushed =
      world::flushed_by(*machine, [&] { world::zap(*machine, kA); });
  CHECK(text(flushed) == text({.range = 1, .pages = 1}));
  CHECK(world::access(*machine, kB).tables_read == 0);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
}
