#include "core/parent_lists.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <utility>

namespace {

using mmu::PageId;
using mmu::ParentLists;
using mmu::SpteRef;

constexpr std::uint64_t kArena = std::uint64_t{4} << 20;

ParentLists make() {
  auto pool = mmu::PagePool::create(kArena);
  REQUIRE(pool);
  auto made = ParentLists::create(pool.value());
  REQUIRE(made);
  return std::move(made.value());
}

using Links = std::multiset<std::pair<PageId, std::uint16_t>>;

Links links(const ParentLists& parents, PageId page) {
  Links found;
  parents.for_each(page,
                   [&](SpteRef ref) { found.insert({ref.table, ref.index}); });
  return found;
}

void play(std::uint32_t seed) {
  CAPTURE(seed);
  std::mt19937 random(seed);
  ParentLists parents = make();
  std::map<PageId, Links> model;
  constexpr PageId kLast = kArena / mmu::kGranule - 1;
  for (int i = 0; i < 2000; ++i) {
    const PageId page = random() % 2 == 0 ? kLast - random() % 2 : random() % 3;
    const SpteRef ref{static_cast<PageId>(random() % 4),
                      static_cast<std::uint16_t>(random() % 2 * 511)};
    Links& expected = model[page];
    const auto choice = random() % 100;
    if (choice < 55) {
      REQUIRE(parents.add(page, ref) == expected.size());
      expected.insert({ref.table, ref.index});
    } else if (choice < 97) {
      const auto known = expected.find({ref.table, ref.index});
      REQUIRE(parents.remove(page, ref) == (known != expected.end()));
      if (known != expected.end()) expected.erase(known);
    } else {
      parents.clear(page);
      expected.clear();
    }
    REQUIRE(parents.count(page) == expected.size());
    REQUIRE(links(parents, page) == expected);
  }
  for (const auto& [page, expected] : model) parents.clear(page);
  CHECK(parents.nodes() == 0);
}

}  // namespace

TEST_CASE("parents of every page behave like a multiset of links") {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) play(seed);
}

TEST_CASE("a page loses all its parents while they are visited") {
  ParentLists parents = make();
  for (std::uint16_t i = 0; i < 16; ++i) parents.add(65, {130, i});
  int seen = 0;
  parents.for_each(65, [&](SpteRef ref) {
    ++seen;
    CHECK(parents.remove(65, ref));
  });
  CHECK(seen == 16);
  CHECK(parents.count(65) == 0);
  CHECK(parents.nodes() == 0);
}
