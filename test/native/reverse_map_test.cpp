#include "core/reverse_map.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace {

using mmu::GfnRange;
using mmu::Level;
using mmu::ReverseMap;
using mmu::SpteRef;

ReverseMap make(GfnRange slot) {
  auto made = ReverseMap::create(slot);
  REQUIRE(made);
  return std::move(made.value());
}

using Ref = std::pair<std::uint32_t, std::uint16_t>;
using Model = std::map<std::pair<Level, std::uint64_t>, std::multiset<Ref>>;

Ref plain(SpteRef ref) { return {ref.table, ref.index}; }

std::multiset<Ref> members(const ReverseMap& map, Level level,
                           std::uint64_t index) {
  std::multiset<Ref> found;
  map.for_each(level, index, [&](SpteRef ref) { found.insert(plain(ref)); });
  return found;
}

// Few lists, so that they grow; at both ends and at borders of words.
std::uint64_t any_index(std::mt19937& random, std::uint64_t size) {
  const std::uint64_t edges[] = {0,        1,        63,       64,
                                 4095,     4096,     262143,   262144,
                                 size / 2, size - 2, size - 1, size - 64};
  return std::min(edges[random() % std::size(edges)], size - 1);
}

SpteRef any_ref(std::mt19937& random) {
  const std::uint32_t tables[] = {0, 1, 2, 0xffffffff};
  return {tables[random() % 4],
          static_cast<std::uint16_t>(random() % 2 == 0 ? 511 : random() % 6)};
}

void check_walk(const ReverseMap& map, const Model& model, Level level,
                std::uint64_t from, std::uint64_t end) {
  std::uint64_t at = from;
  for (const auto& [key, refs] : model) {
    if (key.first != level || key.second < from || key.second >= end) continue;
    REQUIRE(map.next_used(level, at, end) == key.second);
    at = key.second + 1;
  }
  REQUIRE(map.next_used(level, at, end) == end);
}

// Takes some members out while the list is walked: each of them is seen once.
void thin(ReverseMap& map, Model& model, Level level, std::uint64_t index,
          std::mt19937& random) {
  std::multiset<Ref>& expected = model[{level, index}];
  const std::multiset<Ref> before = expected;
  std::multiset<Ref> seen;
  const unsigned share = random() % 4;
  map.for_each(level, index, [&](SpteRef ref) {
    seen.insert(plain(ref));
    if (random() % 3 >= share) return;
    REQUIRE(map.remove(level, index, ref));
    expected.erase(expected.find(plain(ref)));
  });
  REQUIRE(seen == before);
  if (expected.empty()) model.erase({level, index});
}

void play(GfnRange slot, std::uint32_t seed) {
  CAPTURE(seed);
  std::mt19937 random(seed);
  ReverseMap map = make(slot);
  Model model;
  for (int i = 0; i < 2500; ++i) {
    const Level level = mmu::level_of(random() % 3 + 1);
    const std::uint64_t size = map.size(level);
    const std::uint64_t index = any_index(random, size);
    const SpteRef ref = any_ref(random);
    const auto choice = random() % 100;
    if (choice < 60) {
      auto& refs = model[{level, index}];
      REQUIRE(map.add(level, index, ref) == refs.size());
      refs.insert(plain(ref));
    } else if (choice < 95) {
      const auto list = model.find({level, index});
      const bool known =
          list != model.end() && list->second.contains(plain(ref));
      REQUIRE(map.remove(level, index, ref) == known);
      if (known) list->second.erase(list->second.find(plain(ref)));
      if (known && list->second.empty()) model.erase(list);
    } else {
      thin(map, model, level, index, random);
    }
    const auto list = model.find({level, index});
    REQUIRE(members(map, level, index) ==
            (list == model.end() ? std::multiset<Ref>{} : list->second));
    REQUIRE(map.count(level, index) ==
            (list == model.end() ? 0 : list->second.size()));
    const std::uint64_t other = any_index(random, size);
    check_walk(map, model, level, std::min(index, other),
               std::max(index, other));
    check_walk(map, model, level, 0, size);
  }
  for (const auto& [key, refs] : model) {
    for (const Ref& ref : refs) {
      REQUIRE(map.remove(key.first, key.second, {ref.first, ref.second}));
    }
  }
  CHECK(map.nodes() == 0);
}

}  // namespace

TEST_CASE(
    "a reverse map behaves like a map of multisets, from 1 page to 8 TiB") {
  const std::uint64_t most = 0x7fffffff;
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    play({{0}, {1}}, seed);
    play({{511}, {1025}}, seed);
    play({{mmu::bit(40) - 5000}, {mmu::bit(40)}}, seed);
    play({{0x40001}, {0x40001 + most}}, seed);
  }
}

TEST_CASE(
    "a slot that starts amid a large page has a list for its part of it") {
  const ReverseMap map = make({{511}, {1025}});
  CHECK(map.size(Level::k4K) == 514);
  CHECK(map.size(Level::k2M) == 3);
  CHECK(map.size(Level::k1G) == 1);
  CHECK(map.index_of({511}, Level::k2M) == 0);
  CHECK(map.index_of({512}, Level::k2M) == 1);
  CHECK(map.index_of({1024}, Level::k2M) == 2);
  CHECK(map.index_of({1024}, Level::k4K) == 513);
}

TEST_CASE("a walk over frames meets the leaves of large pages that hold them") {
  ReverseMap map = make({{0}, {2048}});
  map.add(Level::k2M, 1, {7, 1});
  map.add(Level::k4K, 1023, {8, 511});
  const auto met = [&](Level level, GfnRange frames) {
    std::vector<std::uint64_t> found;
    map.for_each_in(level, frames, [&](std::uint64_t index, SpteRef leaf) {
      found.push_back(index * 100 + leaf.table);
    });
    return found;
  };
  using Found = std::vector<std::uint64_t>;
  CHECK(met(Level::k2M, {{1023}, {1024}}) == Found{107});
  CHECK(met(Level::k2M, {{512}, {512}}) == Found{});
  CHECK(met(Level::k2M, {{0}, {512}}) == Found{});
  CHECK(met(Level::k2M, {{1024}, {2048}}) == Found{});
  CHECK(met(Level::k4K, {{0}, {2048}}) == Found{1023 * 100 + 8});
  CHECK(met(Level::k1G, {{0}, {2048}}) == Found{});
}

TEST_CASE("a list of thousands is visited whole while all of it is removed") {
  ReverseMap map = make({{0}, {16}});
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const SpteRef ref{i, static_cast<std::uint16_t>(i % 512)};
    REQUIRE(map.add(Level::k4K, 3, ref) == i);
  }
  std::set<std::uint32_t> seen;
  map.for_each_in(Level::k4K, {{0}, {16}}, [&](std::uint64_t at, SpteRef ref) {
    seen.insert(ref.table);
    CHECK(map.remove(Level::k4K, at, ref));
  });
  CHECK(seen.size() == 5000);
  CHECK(map.nodes() == 0);
  CHECK(map.next_used(Level::k4K, 0, 16) == 16);
}

TEST_CASE("a reverse map keeps what it has when it is moved") {
  ReverseMap map = make({{0}, {4096}});
  for (std::uint16_t i = 0; i < 5; ++i) map.add(Level::k4K, 4095, {9, i});
  ReverseMap moved = std::move(map);
  CHECK(moved.count(Level::k4K, 4095) == 5);
  CHECK(moved.next_used(Level::k4K, 0, 4096) == 4095);
}
