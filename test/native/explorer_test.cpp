// Explorations of small worlds: what they find, and that looking at each state
// once, and at one of two images, leaves nothing out.
#include "check/explorer.hpp"

#include <algorithm>
#include <set>

#include "small_world.hpp"

using mmu::Flavour;
using mmu::check::Bound;
using mmu::check::End;
using mmu::check::Exploration;
using mmu::check::World;
using world::Small;

namespace {

Exploration explore(const World& small, Bound bound) {
  auto explorer = mmu::check::Explorer::begin(small, bound);
  INFO((explorer ? std::string() : explorer.error().message()));
  REQUIRE(explorer);
  // In slices, as whoever shows progress does.
  while (explorer.value().so_far().end == End::kNotYet) {
    REQUIRE(!explorer.value().advance(100));
  }
  return explorer.value().so_far();
}

std::set<std::string> rules_of(const Exploration& explored) {
  std::set<std::string> rules;
  for (const auto& found : explored.found) rules.insert(found.rule);
  return rules;
}

std::vector<std::uint64_t> explore_to(Bound bound, std::uint64_t transitions) {
  auto explorer = mmu::check::Explorer::begin(world::small_world({}), bound);
  REQUIRE(!explorer.value().advance(transitions));
  return explorer.value().save();
}

bool shows(const mmu::Machine& machine, std::string_view rule) {
  const auto findings = machine.audit().findings;
  return world::fired(machine, rule) != 0 ||
         std::ranges::find(findings, rule, &mmu::AuditFinding::rule) !=
             findings.end();
}

// Every sequence, one after the other, with nothing remembered.
void try_all(const World& small, std::vector<std::uint8_t>& path, unsigned left,
             std::set<std::string>& rules) {
  const auto machine = mmu::check::live(small, path);
  REQUIRE(machine);
  for (const auto& seen : machine.value()->violations()) {
    rules.insert(std::string(seen.rule));
  }
  for (const auto& seen : machine.value()->advisories()) {
    rules.insert(std::string(seen.rule));
  }
  for (const auto& seen : machine.value()->audit().findings) {
    rules.insert(std::string(seen.rule));
  }
  if (left == 0) return;
  for (std::size_t i = 0; i < small.operations.size(); ++i) {
    path.push_back(static_cast<std::uint8_t>(i));
    try_all(small, path, left - 1, rules);
    path.pop_back();
  }
}

}  // namespace

TEST_CASE("an exploration finds what trying every sequence finds") {
  for (const Small& each :
       {Small{"stolen-bits", Flavour::kTdp, "bits:47", "fail:2"},
        Small{"v5-as-posted", Flavour::kRmap, "bits:47", "hyperv"},
        Small{.strategy = "v5-as-posted", .internal_slots = true},
        Small{.strategy = "v5-as-reviewed",
              .mmu = Flavour::kRmap,
              .backing = 2,
              .memory_types = true},
        Small{"precise", Flavour::kRmap, "bits:47", "hyperv"}}) {
    CAPTURE(each.strategy);
    const World small = world::small_world(each);
    std::set<std::string> rules;
    std::vector<std::uint8_t> path;
    try_all(small, path, 3, rules);
    const Exploration explored = explore(small, {.operations = 3});
    CHECK(rules_of(explored) == rules);
    CHECK(explored.end == End::kComplete);
    CHECK(explored.covered == 3);
  }
}

// Every kind of world, three operations deep: the same states and the same
// rules, for fewer transitions.
TEST_CASE("one order of what commutes leads to all that both orders lead to") {
  std::uint64_t spared = 0;
  for (const char* strategy : {"stolen-bits", "v5-as-posted", "precise"}) {
    for (const Flavour mmu : {Flavour::kTdp, Flavour::kRmap}) {
      for (const char* provider : {"none", "fail:2"}) {
        for (const bool internal : {false, true}) {
          CAPTURE(strategy);
          CAPTURE(provider);
          const World small = world::small_world({.strategy = strategy,
                                                  .mmu = mmu,
                                                  .provider = provider,
                                                  .internal_slots = internal});
          const Exploration both =
              explore(small, {.operations = 4, .reduces = false});
          const Exploration one = explore(small, {.operations = 4});
          CHECK(one.states == both.states);
          CHECK(rules_of(one) == rules_of(both));
          CHECK(one.transitions + one.spared == both.transitions);
          CHECK(both.spared == 0);
          spared += one.spared;
        }
      }
    }
  }
  CHECK(spared > 0);
}

TEST_CASE("the path to what was found leads there, and no part of it does") {
  const World small =
      world::small_world({"stolen-bits", Flavour::kRmap, "bits:47", "fail:2"});
  const Exploration explored = explore(small, {.operations = 4});
  REQUIRE(!explored.found.empty());
  for (const auto& found : explored.found) {
    CAPTURE(found.rule);
    if (found.defect == "D8") continue;
    CHECK(found.defect == "B14");
    auto path = found.path;
    const auto there = mmu::check::live(small, path);
    CHECK(shows(*there.value(), found.rule));
    path.pop_back();
    const auto before = mmu::check::live(small, path);
    CHECK(!shows(*before.value(), found.rule));
  }
}

TEST_CASE("an exploration that may keep no more states says how far it got") {
  const World small = world::small_world({});
  const Exploration explored = explore(small, {.operations = 4, .states = 50});
  CHECK(explored.end == End::kTooManyStates);
  CHECK(explored.states == 50);
  CHECK(explored.covered < 4);
  CHECK(explored.covered > 0);
}

TEST_CASE("a world whose setup is refused is refused") {
  World small = world::small_world({});
  small.setup.push_back(small.setup.front());
  std::get<mmu::MemslotRegion>(small.setup.back()).slot = 1;
  const auto explored = mmu::check::Explorer::begin(small, {});
  REQUIRE(!explored);
  CHECK(explored.error().code == mmu::ErrorCode::kMemslotOverlap);
}

TEST_CASE("an exploration that was put aside goes on where it was") {
  for (const char* strategy : {"stolen-bits", "precise"}) {
    const World small = world::small_world(
        {.strategy = strategy, .mmu = Flavour::kRmap, .provider = "fail:2"});
    const Bound bound{.operations = 4};
    const Exploration whole = explore(small, bound);
    for (const std::uint64_t part : {1u, 500u, 2'000u, 1'000'000u}) {
      auto first = mmu::check::Explorer::begin(small, bound);
      REQUIRE(!first.value().advance(part));
      auto second = mmu::check::Explorer::begin(small, bound);
      REQUIRE(!second.value().restore(first.value().save()));
      CHECK(second.value().so_far().states == first.value().so_far().states);
      REQUIRE(!second.value().advance(1'000'000));
      const Exploration& resumed = second.value().so_far();
      CHECK(resumed.end == End::kComplete);
      CHECK(resumed.states == whole.states);
      CHECK(resumed.covered == 4);
      CHECK(rules_of(resumed) == rules_of(whole));
      CHECK(resumed.transitions + resumed.spared ==
            whole.transitions + whole.spared);
    }
  }
}

TEST_CASE("words that no explorer put aside are refused, and nothing changes") {
  const World small = world::small_world({});
  const Bound bound{.operations = 3};
  auto explorer = mmu::check::Explorer::begin(small, bound);
  REQUIRE(!explorer.value().advance(300));
  const std::vector<std::uint64_t> sound = explorer.value().save();
  auto other = mmu::check::Explorer::begin(small, bound);
  const auto refuses = [&](std::span<const std::uint64_t> words) {
    const auto error = other.value().restore(words);
    return error && error->code == mmu::ErrorCode::kConfig &&
           other.value().so_far().states == 1;
  };
  CHECK(refuses({}));
  for (std::size_t i = 0; i < sound.size(); ++i) {
    CAPTURE(i);
    std::vector<std::uint64_t> damaged = sound;
    damaged[i] ^= std::uint64_t{1} << (i % 64);
    CHECK(refuses(damaged));
    CHECK(refuses(std::span(sound).first(i)));
  }
  // Sound in itself, and of a larger world or a deeper bound.
  const auto deeper = explore_to({.operations = 4}, 100'000);
  CHECK(refuses(deeper));
}
