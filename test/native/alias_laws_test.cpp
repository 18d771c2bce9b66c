#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "core/alias/alias_strategy.hpp"

namespace {

using mmu::AliasedGfn;
using mmu::AliasEntry;
using mmu::Gfn;
using mmu::GfnRange;
using mmu::View;

constexpr std::uint64_t kEndOfSpace = mmu::bit(40);  // 52-bit gpas

// Half of all frames lie beside a power of two or at an end of the space:
// that is where a carry, a wrap or an `or` instead of a `+` shows.
std::uint64_t edge_biased(std::mt19937_64& random) {
  if (random() % 2 == 0) return random() % kEndOfSpace;
  const std::uint64_t edge = mmu::bit(random() % 41);
  return (edge + random() % 3 - 1) % kEndOfSpace;
}

GfnRange edge_biased_range(std::mt19937_64& random) {
  const std::uint64_t a = edge_biased(random);
  const std::uint64_t b = random() % 4 == 0 ? kEndOfSpace : edge_biased(random);
  return {{std::min(a, b)}, {std::max(a, b) + (a == b)}};
}

template <class Check>
void for_each_strategy(Check check) {
  REQUIRE(mmu::alias_entries() != nullptr);
  for (const AliasEntry* entry = mmu::alias_entries(); entry != nullptr;
       entry = entry->next) {
    CAPTURE(entry->name);
    std::mt19937_64 random(20220304);
    for (int i = 0; i < 20'000; ++i) check(*entry, random);
  }
}

}  // namespace

TEST_CASE("an issued frame lies in exactly one view of its canonical frame") {
  for_each_strategy([](const AliasEntry& entry, std::mt19937_64& random) {
    const AliasedGfn issued{edge_biased(random)};
    const Gfn gfn = entry.answers.canonical(issued);
    int found = 0;
    for (const View& view : entry.answers.views({gfn, {gfn.value + 1}})) {
      found += view.root == entry.answers.root_of(issued) &&
               view.range.contains(issued);
    }
    REQUIRE(found == 1);
  });
}

TEST_CASE("every frame of a view has its canonical frame in the range") {
  for_each_strategy([](const AliasEntry& entry, std::mt19937_64& random) {
    const GfnRange range = edge_biased_range(random);
    for (const View& view : entry.answers.views(range)) {
      REQUIRE(view.range.size() == range.size());
      const std::uint64_t inside = random() % range.size();
      for (std::uint64_t at : {std::uint64_t{0}, inside, range.size() - 1}) {
        const Gfn gfn = entry.answers.canonical({view.range.start.value + at});
        REQUIRE(gfn.value == range.start.value + at);
        REQUIRE(view.range.start.value + at - view.offset == gfn.value);
      }
    }
  });
}

TEST_CASE("views of disjoint ranges are disjoint") {
  for_each_strategy([](const AliasEntry& entry, std::mt19937_64& random) {
    const GfnRange whole = edge_biased_range(random);
    const Gfn middle{whole.start.value + whole.size() / 2};
    for (const View& low : entry.answers.views({whole.start, middle})) {
      for (const View& high : entry.answers.views({middle, whole.end})) {
        REQUIRE((low.root != high.root || !low.range.overlaps(high.range)));
      }
    }
  });
}
