// Private memory, the host's hold on it and the logs: nobody logs a private
// page, and a host page under one is taken back by blocking its leaf. Beside
// them the other slots that share a log: twins.
#include "alias_world.hpp"

using mmu::EventKind;
using mmu::Flavour;
using mmu::OutcomeCode;
using world::kA;
using world::kB;
using world::Setup;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;
constexpr std::uint32_t kLogDirty = mmu::MemslotRegion::kLogDirty;
constexpr std::uint64_t kBlocked = mmu::bit(62);
constexpr std::uint64_t kFrame = mmu::bits(51, 12);

using Vm = std::unique_ptr<mmu::Machine>;

std::uint64_t dirty_pages(const mmu::Machine& machine) {
  return machine.memslots()[0].dirty_pages;
}

// Every pair of strategy and flavour in which alias 0 is private memory.
template <class Check>
void for_each_private(Check check) {
  for (const mmu::StrategyView& view : mmu::strategies()) {
    if (view.name == "none") continue;
    for (const Flavour mmu : {kTdp, kRmap}) {
      const Setup setup{view.name, mmu, "tdx47"};
      const auto reason = mmu::not_applicable(setup.config());
      REQUIRE(reason);
      if (!reason.value().empty()) continue;
      CAPTURE(view.name);
      CAPTURE(world::name_of(mmu));
      check(setup);
    }
  }
}

}  // namespace

TEST_CASE("a log that starts leaves private leaves writable") {
  for_each_private([](const Setup& setup) {
    const Vm machine = world::one_page(setup);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
    const std::uint64_t before = world::entry_at(*machine, kA);
    CHECK(world::operate(*machine, EventKind::kDirtyLogEnable).sptes_changed ==
          0);
    CHECK(world::entry_at(*machine, kA) == before);
  });
}

TEST_CASE("a write to private memory is in no log") {
  for_each_private([](const Setup& setup) {
    const Vm machine = world::one_page(setup, kLogDirty);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
    CHECK(dirty_pages(*machine) == 0);
  });
}

TEST_CASE("role-private: a host unmap blocks a leaf, a fault unblocks it") {
  const Vm machine = world::one_page({"role-private", kTdp, "tdx47"});
  world::access(*machine, kA);
  const std::uint64_t leaf = world::entry_at(*machine, kA);
  CHECK(world::unmap_host(*machine, kA).sptes_changed == 1);
  CHECK(world::entry_at(*machine, kA) ==
        (mmu::bit(63) | kBlocked | (leaf & kFrame)));
  CHECK(world::access(*machine, kA).code == OutcomeCode::kUnzapped);
  CHECK(world::entry_at(*machine, kA) == leaf);
}

TEST_CASE("duplicate-slots: a log that starts sees writes to either twin") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    CAPTURE(world::name_of(mmu));
    for (const std::uint64_t gpa : {kA, kB}) {
      CAPTURE(gpa);
      const Vm machine = world::one_page({"duplicate-slots", mmu});
      world::access(*machine, gpa);
      world::operate(*machine, EventKind::kDirtyLogEnable);
      CHECK(dirty_pages(*machine) == 0);
      CHECK(world::access(*machine, gpa).code == OutcomeCode::kFixed);
      CHECK(dirty_pages(*machine) == 1);
    }
  }
}
