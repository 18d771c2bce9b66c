// Which pages a benchmark touches: distinct, uniform over a span, in a random
// order that is the same in every process.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/address.hpp"

namespace bench {

struct Pages {
  std::uint64_t span_bytes = 0;
  std::vector<double> touch;  // gpas
  std::vector<double> hit;    // the same pages in another order
};

// Made once a process and kept.
inline const Pages& pages(std::uint64_t count, std::uint64_t span_bytes) {
  static std::map<std::pair<std::uint64_t, std::uint64_t>, Pages> made;
  Pages& set = made[{count, span_bytes}];
  if (!set.touch.empty()) return set;
  set.span_bytes = span_bytes;
  std::mt19937_64 random(42);
  const std::uint64_t all = span_bytes / mmu::kPageSize;
  std::unordered_set<std::uint64_t> taken;
  taken.reserve(count);
  if (count == all) {
    for (std::uint64_t gfn = 0; gfn < all; ++gfn) {
      set.touch.push_back(static_cast<double>(gfn * mmu::kPageSize));
    }
    std::shuffle(set.touch.begin(), set.touch.end(), random);
  }
  while (set.touch.size() < count) {
    const std::uint64_t gfn = random() % all;
    if (!taken.insert(gfn).second) continue;
    set.touch.push_back(static_cast<double>(gfn * mmu::kPageSize));
  }
  set.hit = set.touch;
  std::shuffle(set.hit.begin(), set.hit.end(), random);
  return set;
}

}  // namespace bench
