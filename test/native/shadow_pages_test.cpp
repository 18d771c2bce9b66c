// Shadow pages by frame and role, against a list that is searched from end to
// end.
#include "core/shadow/shadow_pages.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {

using mmu::Gfn;
using mmu::kNoShadow;
using mmu::PageRole;
using mmu::ShadowId;
using mmu::ShadowPages;
using mmu::ShadowZap;

constexpr PageRole kLong{0x3704};
constexpr PageRole kLongNoWp{0x1704};
constexpr PageRole kDirectPae{0x1782};

ShadowId made(ShadowPages& pages, Gfn gfn, PageRole role) {
  pages.reserve(1);
  return pages.make(gfn, role, 0);
}

std::vector<ShadowId> in_order(const ShadowPages& pages) {
  std::vector<ShadowId> all;
  for (ShadowId at = pages.first(); at != kNoShadow; at = pages.after(at)) {
    all.push_back(at);
  }
  return all;
}

}  // namespace

TEST_CASE("a page is found by its frame and the whole of its role") {
  ShadowPages pages;
  CHECK(pages.find({7}, kLong) == kNoShadow);
  const ShadowId page = made(pages, {7}, kLong);
  CHECK(pages.find({7}, kLong) == page);
  CHECK(pages.find({8}, kLong) == kNoShadow);
  CHECK(pages.find({7}, kLongNoWp) == kNoShadow);
}

TEST_CASE("a root that is zapped can be found no more and takes room") {
  ShadowPages pages;
  const ShadowId root = made(pages, {7}, kLong);
  pages[root].roots = 2;
  CHECK(pages.zap(root) == ShadowZap::kRoot);
  CHECK(pages.find({7}, kLong) == kNoShadow);
  CHECK(pages.first() == kNoShadow);
  CHECK(pages.used() == 1);
  CHECK(pages[root].is_invalid());

  SUBCASE("until it is zapped as a root of nobody") {
    pages[root].roots = 0;
    CHECK(pages.zap(root) == ShadowZap::kFreed);
    CHECK(pages.used() == 0);
  }
  SUBCASE("and another page may take its place") {
    const ShadowId next = made(pages, {7}, kLong);
    CHECK(next != root);
    CHECK(pages.find({7}, kLong) == next);
  }
}

TEST_CASE("the tables of a frame are its pages of any role but direct ones") {
  ShadowPages pages;
  const ShadowId first = made(pages, {0}, kLong);
  made(pages, {0}, kDirectPae);
  const ShadowId third = made(pages, {0}, kLongNoWp);
  std::vector<ShadowId> seen;
  pages.for_each_table({0}, [&](ShadowId page) {
    seen.push_back(page);
    pages.zap(page);
  });
  CHECK(seen == std::vector{third, first});
  CHECK(pages.used() == 1);
}

TEST_CASE("pages stay in the order in which they were made, whatever goes") {
  struct Kept {
    std::uint64_t gfn;
    PageRole role;
    ShadowId page;
  };
  ShadowPages pages;
  std::vector<Kept> list;
  std::mt19937 random{20261123};
  for (int step = 0; step < 20'000; ++step) {
    // Few enough frames for long chains, far enough apart for several buckets.
    const std::uint64_t gfn = random() % 64 << (random() % 2 * 30);
    const PageRole role = random() % 2 == 0 ? kLong : kLongNoWp;
    const auto found = std::ranges::find_if(list, [&](const Kept& each) {
      return each.gfn == gfn && each.role == role;
    });
    CHECK(pages.find({gfn}, role) ==
          (found == list.end() ? kNoShadow : found->page));
    if (found == list.end()) {
      list.push_back({gfn, role, made(pages, {gfn}, role)});
    } else if (random() % 2 != 0) {
      CHECK(pages.zap(found->page) == ShadowZap::kFreed);
      list.erase(found);
    }
    if (step % 500 != 0) continue;
    std::vector<ShadowId> wanted;
    for (const Kept& each : list) wanted.push_back(each.page);
    REQUIRE(in_order(pages) == wanted);
    REQUIRE(pages.used() == list.size());
  }
}
