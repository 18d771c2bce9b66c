// Emulated writes to the guest's tables, and tables that it may write freely.
#include "core/shadow/write_flooding.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "core/shadow/unsync.hpp"

namespace {

using mmu::Gfn;
using mmu::PageRole;
using mmu::ShadowId;
using mmu::ShadowPage;
using mmu::ShadowPages;
using mmu::TableWrite;

constexpr PageRole kLevel1{0x3701};
constexpr PageRole kLevel1NoWp{0x1701};
constexpr PageRole kLevel2{0x3702};
constexpr PageRole kSmall{PageRole::kHas4ByteGpte | PageRole::kAccessAll};

ShadowPage page_of(PageRole role) { return {.gfn = {5}, .role = role}; }

ShadowId made(ShadowPages& pages, PageRole role) {
  pages.reserve(1);
  return pages.make({5}, role, 0);
}

bool torn(PageRole role, unsigned offset, unsigned bytes) {
  return is_torn(page_of(role), {.offset = offset, .bytes = bytes});
}

// First entry and how many.
std::vector<unsigned> written(PageRole role, unsigned offset) {
  const auto entries = entries_written(page_of(role), {.offset = offset});
  if (entries.count == 0) return {};
  return {entries.first, entries.count};
}

using Entries = std::vector<unsigned>;

}  // namespace

TEST_CASE("B63: the third write to a level-2 table without a walk is a flood") {
  ShadowPage page = page_of(kLevel2);
  CHECK_FALSE(floods(page));
  CHECK_FALSE(floods(page));
  SUBCASE("and so is every one that follows") {
    CHECK(floods(page));
    CHECK(floods(page));
  }
  SUBCASE("but not if the page was walked in between") {
    page.writes = 0;
    CHECK_FALSE(floods(page));
  }
}

TEST_CASE("B63: writes to a table of the last level are no flood") {
  ShadowPage page = page_of(kLevel1);
  for (int i = 0; i < 10; ++i) CHECK_FALSE(floods(page));
}

TEST_CASE(
    "B65: two pages of the last level, of one frame and two roles, are "
    "both unsync at once") {
  ShadowPages pages;
  const ShadowId one = made(pages, kLevel1);
  const ShadowId other = made(pages, kLevel1NoWp);
  std::uint64_t count = 0;
  CHECK(make_unsync(pages, {5}, false, count));
  CHECK(pages[one].is_unsync);
  CHECK(pages[other].is_unsync);
  CHECK(count == 2);
  CHECK(make_unsync(pages, {5}, false, count));
  CHECK(count == 2);
}

TEST_CASE(
    "a table with others below it never becomes unsync, nor lets another") {
  ShadowPages pages;
  const ShadowId last = made(pages, kLevel1);
  made(pages, kLevel2);
  std::uint64_t count = 0;
  CHECK_FALSE(make_unsync(pages, {5}, false, count));
  CHECK_FALSE(pages[last].is_unsync);
  CHECK(count == 0);
}

TEST_CASE("a prefetch makes no table unsync, and may use one that is") {
  ShadowPages pages;
  std::uint64_t count = 0;
  CHECK(make_unsync(pages, {5}, true, count));
  const ShadowId page = made(pages, kLevel1);
  CHECK_FALSE(make_unsync(pages, {5}, true, count));
  CHECK_FALSE(pages[page].is_unsync);
  CHECK(make_unsync(pages, {5}, false, count));
  CHECK(make_unsync(pages, {5}, true, count));
  CHECK(count == 1);
}

TEST_CASE(
    "a write is torn if it is not of one whole entry, one byte excepted") {
  CHECK_FALSE(torn(kLevel2, 0x10, 8));
  CHECK_FALSE(torn(kLevel2, 0x14, 4));
  CHECK_FALSE(torn(kLevel2, 0x10, 1));
  CHECK(torn(kLevel2, 0x11, 1));
  CHECK(torn(kLevel2, 0x10, 2));
  CHECK(torn(kLevel2, 0x14, 8));
  CHECK(torn(kSmall.with(2), 0x14, 8));
  CHECK_FALSE(torn(kSmall.with(2), 0x14, 4));
  CHECK_FALSE(torn(kSmall.with(2), 0x14, 1));
}

TEST_CASE("with PAE half an entry counts as all of it") {
  const TableWrite half{.offset = 0x14, .bytes = 4};
  CHECK(widened(half, true).offset == 0x10);
  CHECK(widened(half, true).bytes == 8);
  CHECK(widened(half, false).offset == 0x14);
  CHECK(mmu::widened({.offset = 0x14, .bytes = 2}, true).bytes == 2);
}

TEST_CASE("a small entry is one of a quarter or a half, a directory's two") {
  CHECK(written(kLevel2, 0x10) == Entries{2, 1});
  const PageRole table = kSmall.at_level(1);
  CHECK(written(table, 0x10) == Entries{4, 1});
  CHECK(written(table, 0x800) == Entries{});
  CHECK(written(table.in_quadrant(1), 0x804) == Entries{1, 1});
  const PageRole directory = kSmall.at_level(2);
  CHECK(written(directory, 0x3fc) == Entries{510, 2});
  CHECK(written(directory, 0x400) == Entries{});
  CHECK(written(directory.in_quadrant(3), 0xc04) == Entries{2, 2});
}
