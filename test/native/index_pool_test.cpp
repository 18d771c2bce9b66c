#include "core/index_pool.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

namespace {

struct Node {
  std::uint32_t next;
  std::uint32_t value;
};

using Pool = mmu::IndexPool<Node>;

}  // namespace

TEST_CASE("no two nodes that are out have a number or a content in common") {
  std::mt19937 random(3);
  Pool pool;
  std::map<std::uint32_t, std::uint32_t> expected;
  for (std::uint32_t i = 0; i < 1500; ++i) {
    if (expected.empty() || random() % 5 < 3) {
      const std::uint32_t number = pool.take({0, i});
      REQUIRE(number != Pool::kNone);
      REQUIRE(expected.insert({number, i}).second);
    } else {
      const auto gone = expected.lower_bound(random() % 200);
      if (gone == expected.end()) continue;
      pool.give(gone->first);
      expected.erase(gone);
    }
    REQUIRE(pool.live() == expected.size());
    for (const auto& [number, value] : expected) {
      REQUIRE(pool[number].value == value);
    }
  }
}

TEST_CASE("nodes that were reserved are taken without moving any other") {
  Pool pool;
  for (int round = 0; round < 200; ++round) {
    const std::uint32_t spare = pool.take({0, 1});
    const std::uint32_t kept = pool.take({0, 2});
    pool.give(spare);
    pool.reserve(7);
    const Node* before = &pool[kept];
    for (int i = 0; i < 7; ++i) pool.take({0, 3});
    REQUIRE(&pool[kept] == before);
  }
}
