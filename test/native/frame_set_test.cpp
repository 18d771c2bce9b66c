#include "core/frame_set.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <vector>

namespace {

using mmu::FrameSet;
using mmu::Gfn;
using mmu::GfnRange;

// The whole set as a plain set of numbers, offset by where it lies.
struct Model {
  std::uint64_t base;
  std::set<std::uint64_t> frames;

  std::uint64_t count(GfnRange range) const {
    std::uint64_t sum = 0;
    for (std::uint64_t at = range.start.value; at < range.end.value; ++at) {
      sum += frames.count(at);
    }
    return sum;
  }
};

// Parts of the range in and out of the set, which have to tile it.
void check_parts(const FrameSet& set, const Model& model, GfnRange range) {
  std::vector<GfnRange> inside;
  std::vector<GfnRange> outside;
  set.for_each_in(range, [&](GfnRange part) { inside.push_back(part); });
  set.for_each_gap(range, [&](GfnRange part) { outside.push_back(part); });
  Gfn at = range.start;
  std::size_t i = 0;
  std::size_t o = 0;
  while (at < range.end) {
    const bool in = i < inside.size() && inside[i].start == at;
    const bool out = o < outside.size() && outside[o].start == at;
    REQUIRE(in != out);
    const GfnRange part = in ? inside[i++] : outside[o++];
    REQUIRE_FALSE(part.empty());
    REQUIRE(model.count(part) == (in ? part.size() : 0));
    // Maximal: parts of one kind never follow each other.
    if (in) REQUIRE((i == inside.size() || inside[i].start > part.end));
    at = part.end;
  }
  REQUIRE(i == inside.size());
  REQUIRE(o == outside.size());
}

GfnRange any_range(std::mt19937& random, const Model& model) {
  const std::uint64_t start = model.base + random() % 60;
  const std::uint64_t most = random() % 2 == 0 ? 4 : 40;
  return {{start}, {start + random() % most}};
}

void play(std::uint64_t base, std::uint32_t seed) {
  CAPTURE(seed);
  CAPTURE(base);
  std::mt19937 random(seed);
  FrameSet set;
  Model model{base, {}};
  for (int i = 0; i < 400; ++i) {
    const GfnRange change = any_range(random, model);
    const bool adds = random() % 2 == 0;
    adds ? set.add(change) : set.remove(change);
    for (std::uint64_t at = change.start.value; at < change.end.value; ++at) {
      if (adds) {
        model.frames.insert(at);
      } else {
        model.frames.erase(at);
      }
    }
    REQUIRE(set.size() == model.frames.size());
    check_parts(set, model, {{base}, {base + 110}});
    const GfnRange asked = any_range(random, model);
    check_parts(set, model, asked);
    const std::uint64_t count = model.count(asked);
    REQUIRE(set.count_in(asked) == count);
    REQUIRE(set.covers(asked) == (count == asked.size()));
    REQUIRE(set.meets(asked) == (count != 0));
    REQUIRE(set.contains(asked.start) ==
            model.frames.contains(asked.start.value));
  }
}

}  // namespace

TEST_CASE("a frame set behaves like a set of numbers at either end of space") {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    play(0, seed);
    play(mmu::bit(40) - 110, seed);
  }
}

TEST_CASE("half of all memory is one interval, and so is its other half") {
  FrameSet set;
  const std::uint64_t all = mmu::bit(40);
  for (std::uint64_t at = 0; at < all; at += all / 64) {
    set.add({{at}, {at + all / 64}});
  }
  CHECK(set.size() == all);
  set.remove({{all / 2}, {all}});
  int parts = 0;
  set.for_each_in({{0}, {all}}, [&](GfnRange) { ++parts; });
  set.for_each_gap({{0}, {all}}, [&](GfnRange) { ++parts; });
  CHECK(parts == 2);
  CHECK(set.covers({{0}, {all / 2}}));
  CHECK_FALSE(set.meets({{all / 2}, {all}}));
}

TEST_CASE("a range of no frames is covered, met by nothing, and changes none") {
  FrameSet set;
  set.add({{5}, {5}});
  CHECK(set.size() == 0);
  set.add({{0}, {10}});
  set.remove({{5}, {5}});
  CHECK(set.size() == 10);
  CHECK(set.covers({{90}, {90}}));
  CHECK_FALSE(set.meets({{5}, {5}}));
  int visits = 0;
  set.for_each_gap({{90}, {90}}, [&](GfnRange) { ++visits; });
  CHECK(visits == 0);
}
