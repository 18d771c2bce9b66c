// One page in full: hardware's ways, entry by entry, and what TLBs have of it.
#include <algorithm>

#include "alias_world.hpp"

using mmu::Flavour;
using mmu::PageView;
using world::kA;
using world::kB;
using world::kPage;

namespace {

PageView page(const mmu::Machine& machine, std::uint64_t gpa) {
  auto view = machine.page(gpa);
  REQUIRE(view);
  return std::move(view.value());
}

}  // namespace

TEST_CASE("a page shows every entry of a walk through each of its aliases") {
  for (const Flavour mmu : {Flavour::kTdp, Flavour::kRmap}) {
    const auto machine = world::one_page({"stolen-bits", mmu});
    world::access(*machine, kB);
    // Asked through either alias.
    for (const std::uint64_t gpa : {kA, kB}) {
      const PageView view = page(*machine, gpa);
      REQUIRE(view.ways.size() == 2);
      CHECK(view.ways[0].gpa == kA);
      CHECK(view.ways[1].gpa == kB);
      for (const mmu::WayView& way : view.ways) {
        const auto steps = machine->walk(way.gpa).value();
        REQUIRE(way.entries.size() == steps.size());
        for (std::size_t i = 0; i < steps.size(); ++i) {
          CHECK(way.entries[i].level == steps[i].level);
          CHECK(way.entries[i].spte == steps[i].spte);
          CHECK((way.entries[i].state == "leaf") == steps[i].is_leaf);
        }
      }
      CHECK(view.ways[0].entries.back().state == "none");
      const mmu::EntryView& leaf = view.ways[1].entries.back();
      CHECK(leaf.rights == 7);
      CHECK((leaf.accessed && leaf.dirty));
      CHECK(view.cached.empty());
    }
  }
}

TEST_CASE("a table that two aliases share has one number in both ways") {
  const auto shared = world::one_page({"v5-as-posted", Flavour::kRmap});
  const auto apart = world::one_page({"stolen-bits", Flavour::kRmap});
  for (auto* machine : {shared.get(), apart.get()}) {
    world::access(*machine, kA);
    world::access(*machine, kB);
  }
  const auto lowest = [](const PageView& view, std::size_t way) {
    return view.ways[way].entries.back().table;
  };
  const PageView one = page(*shared, kA);
  CHECK(lowest(one, 0) == lowest(one, 1));
  const PageView two = page(*apart, kA);
  CHECK(lowest(two, 0) != lowest(two, 1));
}

TEST_CASE("a page shows who has cached it, and through which alias") {
  const auto machine =
      world::one_page({.strategy = "stolen-bits", .tlb = true, .vcpus = 2});
  REQUIRE(machine->step({.access = mmu::kAccessWrite, .vcpu = 1, .gpa = kB}));
  const PageView view = page(*machine, kA);
  REQUIRE(view.cached.size() == 1);
  CHECK(view.cached[0].vcpu == 1);
  CHECK(view.cached[0].gpa == kB);
  CHECK(view.cached[0].rights == 7);
  CHECK(view.cached[0].level == 1);
  CHECK(view.cached[0].is_loadable);
  CHECK(!view.cached[0].is_overdue);
  // Its neighbour's entries are not its own.
  CHECK(page(*machine, kA + kPage).cached.empty());
}

TEST_CASE("a translation that a failed flush left behind is shown as overdue") {
  const auto machine = world::one_page(
      {"v5-as-posted", Flavour::kRmap, "bits:47", "hyperv", /*tlb=*/true},
      mmu::MemslotRegion::kLogDirty);
  world::access(*machine, kA);
  world::access(*machine, kB);
  world::take_log(*machine);
  const PageView view = page(*machine, kA);
  CHECK(std::ranges::any_of(view.cached, &mmu::CachedView::is_overdue));
}

TEST_CASE("a page beyond the VM's width is refused") {
  const auto machine = world::one_page({"stolen-bits"});
  CHECK(machine->page(mmu::bit(48)).error().code == mmu::ErrorCode::kEvent);
}
