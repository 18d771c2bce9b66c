// Which pages a trial touches: distinct, uniform over a span, in a random
// order that is the same in every process.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/address.hpp"

namespace mmu::bench {

struct Shape {
  std::uint64_t pages;
  std::uint64_t gib;

  std::uint64_t span_bytes() const { return gib << 30; }
  // Most tables that map the pages, of any level.
  std::uint64_t most_tables() const {
    return std::min(pages, gib << 9) + std::min(pages, gib) + 64;
  }
  // Of a trial: the family's, and how much memory the pages lie in.
  std::string name(std::string_view family) const {
    std::string made(family);
    made.append("-").append(std::to_string(gib < 1024 ? gib : gib / 1024));
    return made.append(gib < 1024 ? "GiB" : "TiB");
  }
};

// Every page of 1 and of 16 GiB, one in 16 of 256 GiB.
inline constexpr Shape k1GiB{1 << 18, 1};
inline constexpr Shape k16GiB{1 << 22, 16};
inline constexpr Shape k256GiB{1 << 22, 256};

struct Pages {
  explicit Pages(const Shape& shape) : span_bytes(shape.span_bytes()) {
    std::mt19937_64 random(42);
    const std::uint64_t all = span_bytes / kPageSize;
    if (shape.pages == all) {
      for (std::uint64_t gfn = 0; gfn < all; ++gfn) add(gfn);
      std::shuffle(touch.begin(), touch.end(), random);
    }
    std::vector<bool> is_taken(shape.pages == all ? 0 : all);
    while (touch.size() < shape.pages) {
      const std::uint64_t gfn = random() % all;
      if (!is_taken[gfn]) add(gfn);
      is_taken[gfn] = true;
    }
    hit = touch;
    std::shuffle(hit.begin(), hit.end(), random);
  }

  std::uint64_t span_bytes;
  std::vector<double> touch;  // gpas
  std::vector<double> hit;    // the same pages in another order

 private:
  void add(std::uint64_t gfn) {
    touch.push_back(static_cast<double>(gfn * kPageSize));
  }
};

}  // namespace mmu::bench
