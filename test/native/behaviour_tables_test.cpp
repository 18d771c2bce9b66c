// The checklist's rows about how entries of a tree come, change and go.
#include "core/access.hpp"
#include "core/alias/alias_strategy.hpp"
#include "core/flavour.hpp"
#include "core/flush_plan.hpp"
#include "core/memslot_ops.hpp"
#include "core/spte_change.hpp"
#include "core/vm_events.hpp"
#include "world.hpp"

namespace {

using mmu::EventKind;
using mmu::Flavour;
using mmu::Level;
using mmu::MachineConfig;
using mmu::OutcomeCode;
using mmu::Spte;
using world::access;
using world::kGiB;
using world::kMiB;
using world::operate;

constexpr std::uint64_t kPage = 4096;
constexpr auto kFull = static_cast<std::uint8_t>(mmu::FlushScope::kFull);
constexpr auto kRange = static_cast<std::uint8_t>(mmu::FlushScope::kRange);

// A VM's state, to be asked what no event asks.
struct Bare {
  explicit Bare(const MachineConfig& config)
      : setup(std::move(mmu::check_config(config).value())),
        arena(std::move(mmu::PagePool::create(config.arena_bytes).value())),
        alias(mmu::find_alias("none")->answers(setup.space, config.mmu)) {
    REQUIRE(!mmu::reserve_memory(setup, arena));
    state =
        std::make_unique<mmu::Mmu>(std::move(setup), *alias, std::move(arena));
  }

  mmu::MachineSetup setup;
  mmu::PagePool arena;
  std::unique_ptr<mmu::Alias> alias;
  std::unique_ptr<mmu::Mmu> state;
};

void write_to(mmu::Mmu& state, std::uint64_t frame) {
  mmu::Outcome out;
  REQUIRE(mmu::perform_access(state, {{frame}, mmu::kAccessWrite, 0}, out));
}

Spte leaf_at(const mmu::Machine& machine, std::uint64_t gpa) {
  return {machine.walk(gpa).value().back().spte};
}

}  // namespace

TEST_CASE("B55: an empty path takes three links and a leaf, and no flush") {
  for (const Flavour flavour : {Flavour::kTdp, Flavour::kRmap}) {
    const auto machine = world::vm({.mmu = flavour});
    world::add(*machine, {.bytes = kPage});
    const auto fixed = access(*machine, 0);
    CHECK(fixed.sptes_changed == 4);
    CHECK(fixed.flush == 0);
    const auto steps = machine->walk(0).value();
    REQUIRE(steps.size() == 4);
    CHECK(steps[3].is_leaf);
  }
}

TEST_CASE("B55: the path is made from the top down") {
  // The owner of external tables fails the third entry that it is asked for.
  const auto machine = world::vm(
      {.strategy = "mirror", .preset = "tdx47", .external_tables = "fail:3"});
  world::add(*machine, {.bytes = kPage});
  CHECK(access(*machine, 0).code == OutcomeCode::kError);
  const auto steps = machine->walk(0).value();
  REQUIRE(steps.size() == 3);
  CHECK(!steps[2].is_leaf);
  const auto again = access(*machine, 0);
  CHECK(again.code == OutcomeCode::kFixed);
  CHECK(again.sptes_changed == 2);
}

TEST_CASE("B56: a huge leaf in the place of a table is one range flush") {
  const auto machine = world::vm({.flush_provider = "hyperv"});
  world::add(*machine, {.bytes = 4 * kMiB, .backing = 2});
  operate(*machine, EventKind::kDirtyLogEnable);
  access(*machine, 0);
  // The table stays, and with no leaf in it is not made huge by itself.
  operate(*machine, EventKind::kZap, 0, kPage);
  operate(*machine, EventKind::kDirtyLogDisable);
  const auto fixed = access(*machine, 0);
  CHECK(fixed.level == 2);
  CHECK(fixed.flush == kRange);
  CHECK(fixed.flushed_pages == 512);
  CHECK(machine->tables().by_level[1] == 0);
}

TEST_CASE("B57: a leaf that maps another frame is a broken invariant") {
  const Spte old = mmu::make_leaf({5}, Level::k4K, true);
  const Spte other = mmu::make_leaf({6}, Level::k4K, true);
  const auto refused = mmu::check_spte_change(old, other, Level::k4K);
  REQUIRE(refused);
  CHECK(refused->code == mmu::ErrorCode::kInternal);
  CHECK(refused->message() ==
        "broken invariant: a leaf must be zapped before its place maps "
        "another frame, got 0x8600000000006b77 for 0x8600000000005b77");
  const Spte table = mmu::make_link(0x6000);
  for (const Spte now : {old.without(mmu::ept::kWrite), Spte{}, old}) {
    CHECK(!mmu::check_spte_change(old, now, Level::k4K));
  }
  CHECK(!mmu::check_spte_change(table, mmu::make_leaf({512}, Level::k2M, true),
                                Level::k2M));
  CHECK(!mmu::check_spte_change(Spte{}, old, Level::k4K));
}

TEST_CASE("B58: a frame that a log protects loses what would give W back") {
  for (const Flavour flavour : {Flavour::kTdp, Flavour::kRmap}) {
    const Bare bare({.mmu = flavour});
    mmu::Mmu& state = *bare.state;
    REQUIRE(mmu::set_memslot(
        state, {.flags = 1, .bytes = kPage, .hva = world::kHvaBase}));
    write_to(state, 0);
    mmu::apply_vm_event(state, {.kind = EventKind::kDirtyLogGet});
    const auto leaf = [&] {
      const mmu::PageTable& tree = state.tree(mmu::RootId::kDirect);
      return tree.get(tree.find_table({0}, Level::k4K), 0);
    };
    CHECK(!leaf().is_writable());
    CHECK(leaf().has(mmu::ept::kMmuWritable));
    // W is gone, and the change is one that has to be flushed all the same.
    CHECK(!state.ops->write_protect({0}, Level::k2M));
    CHECK(state.ops->write_protect({0}, Level::k4K));
    CHECK(!leaf().has(mmu::ept::kMmuWritable));
    CHECK(!state.ops->write_protect({0}, Level::k4K));
    CHECK(!state.ops->write_protect({1}, Level::k4K));
  }
}

TEST_CASE("B60: a zap of what only an invalid root had flushes nothing") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = 4 * kMiB});
  access(*machine, 0);
  CHECK(operate(*machine, EventKind::kZapAllFast).flush == 0);
  const auto zapped = operate(*machine, EventKind::kZap, 0, 4 * kMiB);
  CHECK(zapped.flush == 0);
  CHECK(zapped.sptes_changed == 0);
  CHECK(world::stats(*machine)["remote_tlb_flush_requests"] == 0);
}

TEST_CASE("B61: the end of a log makes 512 leaves one, and flushes the slot") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = 2 * kMiB, .flags = 1, .backing = 2});
  for (std::uint64_t i = 0; i < 512; ++i) access(*machine, i * kPage);
  CHECK(world::stats(*machine)["pages_4k"] == 512);
  const auto ended = operate(*machine, EventKind::kDirtyLogDisable);
  CHECK(ended.flush == kFull);
  auto counts = world::stats(*machine);
  CHECK(counts["pages_4k"] == 0);
  CHECK(counts["pages_2m"] == 1);
  CHECK(counts["remote_tlb_flush_requests"] == 1);
  CHECK(leaf_at(*machine, 0).raw == 0x8600000000000bf7);
}

TEST_CASE("B61: where a range can be flushed, it is the slot's, once") {
  const auto machine = world::vm({.flush_provider = "hyperv"});
  world::add(*machine, {.bytes = 8 * kMiB, .flags = 1, .backing = 2});
  for (std::uint64_t i = 0; i < 1024; ++i) access(*machine, i * kPage);
  const auto ended = operate(*machine, EventKind::kDirtyLogDisable);
  CHECK(ended.flush == kRange);
  CHECK(ended.flushed_pages == 2048);
  CHECK(machine->flushes().range == 1);
}

TEST_CASE("B61: the end of a log that makes nothing huge flushes nothing") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = 2 * kMiB, .flags = 1});
  access(*machine, 0);
  CHECK(operate(*machine, EventKind::kDirtyLogDisable).flush == 0);
}

TEST_CASE("B62: a 1G leaf is split once, and each of its parts once") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kGiB, .backing = 3});
  access(*machine, 0);
  const auto begun = operate(*machine, EventKind::kDirtyLogEnable);
  constexpr std::uint64_t kLeaves = 512 * 512;
  CHECK(begun.sptes_changed == 1 + 512 + kLeaves);
  const auto tables = machine->tables();
  CHECK(tables.by_level[2] == 1);
  CHECK(tables.by_level[1] == 512);
  CHECK(world::stats(*machine)["pages_4k"] == kLeaves);
}
