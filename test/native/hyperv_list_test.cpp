#include "core/hyperv_list.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace {

using Entries = std::vector<std::uint64_t>;

Entries list(std::uint64_t first, std::uint64_t pages) {
  Entries entries;
  const bool done =
      mmu::hyperv::fill({{first}, {first + pages}},
                        [&](std::uint64_t entry) { entries.push_back(entry); });
  CHECK(done == mmu::hyperv::fits(pages));
  CHECK(entries.size() == (done ? mmu::hyperv::entries_for(pages) : 0));
  return entries;
}

}  // namespace

TEST_CASE("A8: an entry names a first page and up to 2047 more") {
  CHECK(list(0x100, 1) == Entries{0x0000000000100000});
  CHECK(list(0x100, 2048) == Entries{0x00000000001007ff});
  CHECK(list(0x100, 2049) == Entries{0x00000000001007ff, 0x0000000000900000});
  CHECK(list(0x100, 5000) ==
        Entries{0x00000000001007ff, 0x00000000009007ff, 0x0000000001100387});
}

TEST_CASE("A8: a list of no pages has no entry") {
  CHECK(list(0x100, 0).empty());
}

TEST_CASE("A8: 510 entries make a list, one page more makes none") {
  CHECK(mmu::hyperv::kMostEntries == 510);
  CHECK(mmu::hyperv::kMostPages == 1'044'480);
  CHECK(list(0, 1'044'480).size() == 510);
  CHECK(list(0, 1'044'481).empty());
  CHECK(list(0, mmu::bit(40)).empty());
}

TEST_CASE("A8: the last frame of 52 bits keeps all of them") {
  const std::uint64_t last = mmu::bit(40) - 1;
  CHECK(list(last, 1) == Entries{last << 12});
}
