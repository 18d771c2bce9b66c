#include <doctest/doctest.h>

#include <map>
#include <random>

#include "core/page_pool.hpp"

namespace {

mmu::PagePool pool(std::uint64_t bytes = std::uint64_t{16} << 20) {
  auto made = mmu::PagePool::create(bytes);
  REQUIRE(made);
  return std::move(made.value());
}

// The same writes to a page and to a map, then both are read out.
template <class Page>
void compare(Page& page, std::size_t most, std::mt19937& random) {
  std::map<unsigned, std::uint64_t> expected;
  for (int i = 0; i < 400; ++i) {
    const unsigned index = random() % 40 * 13 % mmu::kEntries;
    const std::uint64_t word = random() % 3 == 0 ? 0 : random() | 1;
    if (word != 0 && !expected.contains(index) && expected.size() == most) {
      continue;
    }
    store(page, index, word);
    if (word == 0) {
      expected.erase(index);
    } else {
      expected[index] = word;
    }
    std::map<unsigned, std::uint64_t> found;
    for (unsigned at = next_used(page, 0, mmu::kEntries); at < mmu::kEntries;
         at = next_used(page, at + 1, mmu::kEntries)) {
      if constexpr (requires { page.keys; }) {
        found[at] = stored_at(page, at);
      } else {
        found[at] = page.entries[at];
      }
    }
    REQUIRE(found == expected);
  }
  clear(page);
  CHECK(next_used(page, 0, mmu::kEntries) == mmu::kEntries);
}

}  // namespace

TEST_CASE("full and compact pages both behave like a map") {
  std::mt19937 random(7);
  mmu::PagePool pages = pool();
  REQUIRE(pages.ensure(1, 1));
  compare(pages.full(pages.take_full()), mmu::kEntries, random);
  compare(pages.compact(pages.take_compact()), mmu::kCompactSlots, random);
}

TEST_CASE("a compact page refuses a seventeenth entry and keeps the others") {
  mmu::PagePool pages = pool();
  REQUIRE(pages.ensure(0, 1));
  mmu::CompactPage& page = pages.compact(pages.take_compact());
  for (unsigned i = 0; i < mmu::kCompactSlots; ++i) {
    CHECK(store(page, i * 32, i + 1));
  }
  CHECK_FALSE(store(page, 511, 99));
  CHECK(store(page, 480, 99));
  CHECK(stored_at(page, 480) == 99);
  CHECK(stored_at(page, 511) == 0);
  CHECK(stored_at(page, 0) == 1);
}

TEST_CASE("index 511 is not mistaken for an unused key") {
  mmu::PagePool pages = pool();
  REQUIRE(pages.ensure(0, 1));
  mmu::CompactPage& page = pages.compact(pages.take_compact());
  CHECK(mmu::find_entry(page, 511) == nullptr);
  store(page, 511, 5);
  CHECK(stored_at(page, 511) == 5);
}

TEST_CASE("a pool at its limit says so, and serves again what came back") {
  mmu::PagePool pages = pool(std::uint64_t{2} << 20);
  std::vector<mmu::PageId> taken;
  while (pages.ensure(1, 0)) taken.push_back(pages.take_full());
  CHECK(taken.size() == (std::uint64_t{2} << 20) / sizeof(mmu::FullPage) - 1);
  CHECK_FALSE(pages.ensure(1, 0));
  pages.give_full(taken.back());
  CHECK(pages.ensure(1, 0));
  CHECK(pages.take_full() == taken.back());
  CHECK_FALSE(pages.ensure(2, 0));
}

TEST_CASE("committed memory stays within an eighth of what is in use") {
  mmu::PagePool pages = pool(std::uint64_t{1} << 30);
  for (int i = 0; i < 40'000; ++i) {
    REQUIRE(pages.ensure(1, 0));
    pages.take_full();
  }
  CHECK(pages.bytes_in_use() == 40'000 * sizeof(mmu::FullPage));
  CHECK(pages.bytes_committed() <= pages.bytes_in_use() * 9 / 8 + (4 << 20));
}
