// The legacy MMU: shadow pages that are found by hash, leaves that are found
// by reverse map, and what it takes to lose either.
#include "alias_world.hpp"

using mmu::EventKind;
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

constexpr std::uint32_t kReadonly = mmu::MemslotRegion::kReadonly;
constexpr std::uint32_t kLogDirty = mmu::MemslotRegion::kLogDirty;

using Vm = std::unique_ptr<mmu::Machine>;

Setup legacy(std::string_view strategy = "none",
             std::string_view preset = "none",
             std::string_view provider = "none") {
  return {strategy, Flavour::kRmap, preset, provider};
}

std::string text(const Flushed& flushed) { return world::to_text(flushed); }

std::uint64_t stat(const mmu::Machine& machine, const char* name) {
  return world::stats(machine)[name];
}

void set_flags(mmu::Machine& machine, world::Slot slot, std::uint32_t flags) {
  slot.flags = flags;
  world::add(machine, slot);
}

}  // namespace

TEST_CASE("a shadow page that the hash has is not made again") {
  for (const auto& [strategy, made] :
       {std::pair{"v5-as-posted", 4u}, std::pair{"stolen-bits", 7u}}) {
    const Vm machine = world::one_page(legacy(strategy, "bits:47"));
    world::access(*machine, kA);
    // The root counts.
    CHECK(stat(*machine, "mmu_cache_miss") == 4);
    world::access(*machine, kB);
    CHECK(stat(*machine, "mmu_cache_miss") == made);
    CHECK(machine->table_list().size() == made);
  }
}

TEST_CASE("a page named by the stripped frame has a parent for each alias") {
  const Vm four = world::one_page(legacy("v5-as-posted", "bits:46,47"));
  for (std::uint64_t alias = 0; alias < 4; ++alias) {
    world::access(*four, kA | alias << 46);
    REQUIRE(world::tables_of(*four, 3).size() == 1);
    CHECK(world::tables_of(*four, 3)[0].parents == alias + 1);
  }
  CHECK(world::tables_of(*four, 2)[0].parents == 1);
  CHECK(world::tables_of(*four, 4)[0].parents == 0);
  // A bit below the root's index: the tables part one level further down.
  const Vm low = world::one_page(legacy("v5-as-posted", "bits:38"));
  world::access(*low, kA);
  world::access(*low, kA | mmu::bit(38));
  CHECK(world::tables_of(*low, 3)[0].parents == 1);
  REQUIRE(world::tables_of(*low, 2).size() == 1);
  CHECK(world::tables_of(*low, 2)[0].parents == 2);
}

TEST_CASE("the longest reverse map is the one before its last addition") {
  const Vm machine = world::one_page(legacy("stolen-bits", "bits:46,47"));
  CHECK(stat(*machine, "max_mmu_rmap_size") == 0);
  for (std::uint64_t alias = 0; alias < 4; ++alias) {
    world::access(*machine, kA | alias << 46);
    CHECK(stat(*machine, "max_mmu_rmap_size") == alias);
    CHECK(world::rmap_count(*machine, kA) == alias + 1);
  }
  CHECK(world::unmap_host(*machine, kA).sptes_changed == 4);
  CHECK(world::rmap_count(*machine, kA) == 0);
}

TEST_CASE("a zap finds leaves of every level") {
  for (const std::uint8_t level : {1, 2, 3}) {
    CAPTURE(int(level));
    const Vm machine = world::vm(legacy());
    world::add(*machine, {.bytes = world::kGiB, .backing = level});
    CHECK(world::access(*machine, 0).level == level);
    CHECK(world::zap(*machine, 0).sptes_changed == 1);
    CHECK(!world::is_mapped(*machine, 0));
  }
}

TEST_CASE("a logged write drops the huge leaf, links, and flushes its range") {
  const Vm machine = world::vm(legacy("none", "none", "hyperv"));
  world::add(*machine, {.bytes = 4 * kMiB, .backing = 2});
  CHECK(world::access(*machine, 0).level == 2);
  const Outcome armed = world::operate(*machine, EventKind::kDirtyLogEnable);
  // W goes, and nothing is split.
  CHECK(armed.sptes_changed == 1);
  CHECK(machine->leaves(false)[0].level == 2);
  Outcome outcome;
  const Flushed flushed = world::flushed_by(
      *machine, [&] { outcome = world::access(*machine, 5 * kPage); });
  CHECK(outcome.level == 1);
  // The huge leaf, the link, the leaf.
  CHECK(outcome.sptes_changed == 3);
  CHECK(outcome.flush == 1);
  CHECK(text(flushed) == text({.range = 1, .pages = 512}));
  CHECK(stat(*machine, "pages_2m") == 0);
  world::check_accounts(*machine);
}

TEST_CASE("a huge leaf takes a table's place, and the table is found again") {
  const Vm machine = world::vm(legacy("none", "none", "hyperv"));
  const world::Slot slot{.bytes = 2 * kMiB, .flags = kLogDirty, .backing = 2};
  world::add(*machine, slot);
  world::access(*machine, 5 * kPage);
  set_flags(*machine, slot, 0);
  CHECK(machine->leaves(false).empty());
  CHECK(world::tables_of(*machine, 1)[0].parents == 1);
  Outcome outcome;
  const Flushed flushed = world::flushed_by(
      *machine, [&] { outcome = world::access(*machine, 5 * kPage); });
  CHECK(outcome.level == 2);
  CHECK(outcome.sptes_changed == 2);
  CHECK(text(flushed) == text({.range = 1, .pages = 512}));
  REQUIRE(world::tables_of(*machine, 1).size() == 1);
  CHECK(world::tables_of(*machine, 1)[0].parents == 0);
  const std::uint64_t made = stat(*machine, "mmu_cache_miss");
  set_flags(*machine, slot, kLogDirty);
  CHECK(world::access(*machine, 5 * kPage).level == 1);
  CHECK(stat(*machine, "mmu_cache_miss") == made);
  CHECK(world::tables_of(*machine, 1)[0].parents == 1);
}

TEST_CASE("a table that lost its parent keeps its leaves, and zaps find them") {
  // A read-only slot's log ends without a look at its leaves.
  const Vm machine = world::vm(legacy());
  const world::Slot slot{
      .bytes = 2 * kMiB, .flags = kReadonly | kLogDirty, .backing = 2};
  world::add(*machine, slot);
  world::access(*machine, 5 * kPage, mmu::kAccessRead);
  set_flags(*machine, slot, kReadonly);
  CHECK(world::access(*machine, 6 * kPage, mmu::kAccessRead).level == 2);
  CHECK(stat(*machine, "pages_4k") == 1);
  CHECK(stat(*machine, "pages_2m") == 1);
  CHECK(world::rmap_count(*machine, 5 * kPage) == 2);
  CHECK(world::rmap_count(*machine, 6 * kPage) == 1);
  CHECK(machine->tables().by_level[1] == 1);
  CHECK(world::zap(*machine, 5 * kPage).sptes_changed == 2);
  CHECK(stat(*machine, "pages_4k") == 0);
  CHECK(world::rmap_count(*machine, 5 * kPage) == 0);
}

TEST_CASE("the end of a log zaps what could be larger, by leaf or at the end") {
  struct Row {
    Setup setup;
    Flushed expected;
  };
  for (const Row& row :
       {Row{legacy(), {.full = 1}},
        Row{legacy("none", "none", "hyperv"), {.range = 3, .pages = 3}},
        Row{legacy("stolen-bits", "bits:47", "hyperv"),
            {.range = 6, .pages = 6}},
        Row{legacy("precise", "bits:47", "hyperv"),
            {.range = 3, .pages = 3}}}) {
    const Vm machine = world::vm(row.setup);
    world::add(*machine, {.bytes = 4 * kMiB, .flags = kLogDirty, .backing = 2});
    for (const std::uint64_t page : {3, 511, 1000}) {
      world::access(*machine, page * kPage);
    }
    Outcome outcome;
    const Flushed flushed = world::flushed_by(*machine, [&] {
      outcome = world::operate(*machine, EventKind::kDirtyLogDisable);
    });
    CHECK(outcome.sptes_changed == 3);
    CHECK(text(flushed) == text(row.expected));
    CHECK(machine->leaves(false).empty());
    CHECK(world::access(*machine, 0).level == 2);
  }
}

TEST_CASE("the end of a log leaves small what can be no larger") {
  const Vm machine = world::vm(legacy());
  world::add(*machine, {.gpa = 2 * kMiB - 8 * kPage,
                        .bytes = 2 * kMiB,
                        .flags = kLogDirty,
                        .backing = 2});
  world::access(*machine, 2 * kMiB - kPage);
  world::access(*machine, 2 * kMiB);
  const Outcome outcome = world::operate(*machine, EventKind::kDirtyLogDisable);
  CHECK(outcome.sptes_changed == 0);
  CHECK(outcome.flush == 0);
  CHECK(machine->leaves(false).size() == 2);
}

TEST_CASE("zap-all-fast counts every page that it drops, and flushes once") {
  const Vm machine = world::one_page(legacy("stolen-bits", "bits:47"));
  world::access(*machine, kA);
  world::access(*machine, kB);
  Outcome outcome;
  Flushed flushed = world::flushed_by(*machine, [&] {
    outcome = world::operate(*machine, EventKind::kZapAllFast);
  });
  CHECK(outcome.sptes_changed == 2);
  CHECK(text(flushed) == text({.full = 1}));
  CHECK(stat(*machine, "mmu_shadow_zapped") == 7);
  CHECK(machine->table_list().empty());
  CHECK(machine->tables().bytes_in_use == 0);
  CHECK(world::rmap_count(*machine, kA) == 0);
  // Nothing there: nothing to commit.
  flushed = world::flushed_by(
      *machine, [&] { world::operate(*machine, EventKind::kZapAllFast); });
  CHECK(text(flushed) == text({}));
  CHECK(stat(*machine, "mmu_shadow_zapped") == 7);
}

TEST_CASE("zap-all-fast of a bare root counts it and flushes nothing") {
  const Vm machine = world::one_page(legacy(), kReadonly);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kEmulate);
  const Outcome outcome = world::operate(*machine, EventKind::kZapAllFast);
  CHECK(outcome.flush == 0);
  CHECK(stat(*machine, "mmu_shadow_zapped") == 1);
}

TEST_CASE("zap-all-fast leaves the private root's pages") {
  for (const auto strategy : {"stolen-bits-tdx", "precise"}) {
    const Vm machine = world::one_page(legacy(strategy, "tdx47"));
    world::access(*machine, kA);
    CHECK(world::operate(*machine, EventKind::kZapAllFast).sptes_changed == 0);
    CHECK(stat(*machine, "mmu_shadow_zapped") == 0);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kHit);
  }
}

TEST_CASE("a private leaf that outlived its slot is in no reverse map") {
  const Vm machine = world::one_page(legacy("stolen-bits-tdx", "tdx47"));
  world::access(*machine, kA);
  REQUIRE(machine->set_memslot({.slot = 0}));
  world::add(*machine, {.gpa = kA, .bytes = kPage});
  CHECK(world::access(*machine, kA).code == OutcomeCode::kHit);
  CHECK(world::rmap_count(*machine, kA) == 0);
  CHECK(world::zap(*machine, kA).sptes_changed == 0);
  CHECK(world::is_mapped(*machine, kA));
}
