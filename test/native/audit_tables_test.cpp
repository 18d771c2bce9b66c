// Rule table-reachable-after-free: each way in which a link or a page of the
// arena can be wrong, done on purpose to a VM that was right.
#include "audited_world.hpp"
#include "core/audit/audit_findings.hpp"
#include "failing_memory.hpp"

using mmu::Level;
using mmu::TableRef;
using mmu::words;
using world::Audited;
using world::kMiB;
using world::kPage;

namespace {

constexpr std::uint64_t kSecond = 2 * kMiB;  // a gpa in a table of its own
constexpr std::string_view kRule = "table-reachable-after-free: ";

// Two tables of the last level, and one that was given back.
Audited two_tables() {
  Audited vm(world::Setup{.preset = "none"});
  vm.add({.bytes = 8 * kMiB});
  for (const std::uint64_t gpa : {std::uint64_t{0}, kSecond, 2 * kSecond}) {
    vm.access(gpa);
  }
  TableRef parent = vm.table(2 * kSecond, Level::k2M);
  vm.tree().set_spte(parent, 2, mmu::Spte{});
  REQUIRE(vm.found() == "");
  return vm;
}

std::uint64_t page_word(std::uint64_t link, mmu::PageId id) {
  const std::uint64_t other = std::uint64_t{mmu::link::page_id(link)} ^ id;
  return link ^ (other << mmu::kPageShift);
}

std::string leads(std::string_view where, mmu::PageId id, std::string_view at) {
  return words(kRule, "a link leads ", where, ", page ", id, " at ", at);
}

}  // namespace

TEST_CASE("an audit finds a link to a page that was freed") {
  Audited vm = two_tables();
  std::uint64_t& link = vm.word(kSecond, Level::k2M);
  const std::uint64_t kept = link;
  TableRef parent = vm.table(kSecond, Level::k2M);
  vm.tree().set_spte(parent, 1, mmu::Spte{});
  CHECK(vm.found() == "");
  link = kept;
  CHECK(vm.found() == leads("to a page that was freed",
                            mmu::link::page_id(kept), "0x200000 level 2"));
}

TEST_CASE("an audit finds a table that two links lead to") {
  Audited vm = two_tables();
  vm.word(3 * kSecond, Level::k2M) = vm.word(kSecond, Level::k2M);
  const mmu::PageId id = vm.table(kSecond, Level::k4K).id;
  CHECK(vm.found() ==
        leads("to a table that another link leads to", id, "0x600000 level 2"));
}

TEST_CASE("an audit reads nothing outside the arena") {
  for (const mmu::PageId id : {mmu::kNoPage, mmu::PageId{0xfffffff0}}) {
    Audited vm = two_tables();
    vm.word(3 * kSecond, Level::k2M) = page_word(vm.word(0, Level::k2M), id);
    CHECK(vm.found() ==
          leads("to no page of the arena", id, "0x600000 level 2"));
  }
}

TEST_CASE("an audit finds a link into the middle of a page") {
  Audited vm = two_tables();
  const mmu::PageId id = vm.table(0, Level::k2M).id + 1;
  vm.word(3 * kSecond, Level::k2M) = page_word(vm.word(0, Level::k2M), id);
  CHECK(vm.found() ==
        leads("into the middle of a page", id, "0x600000 level 2"));
}

TEST_CASE("an audit finds a table of another level, and what is lost with it") {
  Audited vm = two_tables();
  const mmu::PageId id = vm.table(kSecond, Level::k4K).id;
  vm.mmu().pool.header(id).level = Level::k1G;
  const std::string accounts =
      "accounting-mismatch: pages_4k is kept as 2, where 1 are found\n"
      "accounting-mismatch: the number of level-1 tables is kept as 2, where 1 "
      "are found\n"
      "accounting-mismatch: the number of compact pages is kept as 2, where 1 "
      "are found\n"
      "accounting-mismatch: the size of all tables is kept as 12864, where "
      "12672 are found\n";
  CHECK(vm.found() ==
        accounts +
            leads("to a table of another level", id, "0x200000 level 2") +
            words("\n", kRule, "from page ", id,
                  " on 192 bytes are neither in use nor free"));
}

TEST_CASE("an audit finds a table that notes another place") {
  Audited vm = two_tables();
  const TableRef table = vm.table(kSecond, Level::k4K);
  const TableRef parent = vm.table(kSecond, Level::k2M);
  const std::string expected =
      words(kRule, "table page ", table.id,
            " notes another place than the link that leads to it, page ",
            parent.id, " entry 1 at 0x200000 level 2");
  mmu::PageHeader& header = vm.mmu().pool.header(table.id);
  ++header.parent_index;
  CHECK(vm.found() == expected);
  --header.parent_index;
  ++header.gfn.value;
  CHECK(vm.found() == expected);
}

TEST_CASE("an audit finds an entry in a page that is free") {
  Audited vm = two_tables();
  mmu::PageId free = mmu::kNoPage;
  vm.mmu().pool.for_each_free(true, [&](mmu::PageId id) { free = id; });
  REQUIRE(free != mmu::kNoPage);
  mmu::CompactPage& page = vm.mmu().pool.compact(free);
  page.keys[3] = 7;
  page.entries[3] = 1;
  CHECK(vm.found() == words(kRule, "free page ", free, " holds entries: 1"));
  page.keys[3] = mmu::kNoKey;
  page.entries[3] = 0;
  // The page that every missing link leads to.
  vm.mmu().pool.full(mmu::kNoPage).entries[5] = 1;
  CHECK(vm.found() == words(kRule, "free page 0 holds entries: 1"));
  vm.mmu().pool.full(mmu::kNoPage).entries[5] = 0;
  CHECK(vm.found() == "");
}

TEST_CASE("an audit finds a page that is in use and free") {
  Audited vm = two_tables();
  const TableRef table = vm.table(kSecond, Level::k4K);
  vm.mmu().pool.give_compact(table.id);
  const std::string found =
      leads("to a page that was freed", table.id, "0x200000 level 2");
  CHECK(vm.found().find(found) != std::string::npos);
}

TEST_CASE("an audit takes memory by the table, and not by the leaf") {
  constexpr std::uint64_t kTables = 64;
  Audited vm(world::Setup{.preset = "none"});
  vm.add({.bytes = kTables * 2 * kMiB});
  for (std::uint64_t page = 0; page < kTables * 512; ++page) {
    vm.access(page * kPage);
  }
  const std::uint64_t before = failing_memory::asked();
  REQUIRE(vm.found() == "");
  const std::uint64_t leaves = kTables * 512 * sizeof(std::uint64_t);
  CHECK(failing_memory::asked() - before < leaves / 2);
}
