#include "core/page_table.hpp"

#include <doctest/doctest.h>

#include <random>

#include "core/table_walk.hpp"

namespace {

using mmu::Level;
using mmu::PageTable;
using mmu::TableRef;

struct Tree {
  mmu::PagePool pool;
  mmu::TreeAccounts accounts;
  PageTable table;

  Tree() : pool(arena()), table(pool, accounts, Level::k512G) {}

  static mmu::PagePool arena() {
    auto made = mmu::PagePool::create(std::uint64_t{256} << 20);
    REQUIRE(made);
    return std::move(made.value());
  }

  TableRef reach(mmu::AliasedGfn gfn, Level goal) {
    REQUIRE(table.ensure_one_path());
    if (!table.has_root()) table.make_root();
    TableRef at = table.root();
    while (at.level > goal) {
      const unsigned index = mmu::table_index(gfn, at.level);
      const mmu::Spte spte = table.get(at, index);
      if (spte.is_link(at.level)) {
        at = mmu::link::table(spte, mmu::below(at.level));
      } else if (spte.is_leaf(at.level)) {
        at = table.split(at, index);
      } else {
        at = table.link_child(at, index);
      }
    }
    return at;
  }
};

constexpr mmu::AliasedRange kAll{{0}, {mmu::bit(36)}};

// Counts what is there and compares with what the choke point claims.
void check_accounts(const Tree& tree) {
  mmu::TreeAccounts counted;
  if (tree.table.has_root()) ++counted.tables[4];
  for (mmu::TableWalk walk(tree.table, kAll); walk; walk.next()) {
    const mmu::Spte spte = walk.spte();
    const unsigned level = mmu::number_of(walk.level());
    if (spte.is_link(walk.level())) ++counted.tables[level - 1];
    if (spte.is_leaf(walk.level())) ++counted.leaves[level];
    if (spte.is_mmio()) ++counted.mmio;
  }
  CHECK(counted.leaves == tree.accounts.leaves);
  CHECK(counted.tables == tree.accounts.tables);
  CHECK(counted.mmio == tree.accounts.mmio);
}

// Law of the directory: each region's 4K table in its shape, and nothing else.
void check_directory(const Tree& tree, std::uint64_t regions) {
  const mmu::LeafStretches known = tree.table.leaf_tables();
  for (std::uint64_t region = 0; region < regions; ++region) {
    const mmu::AliasedGfn gfn{region * mmu::kEntries};
    const TableRef at = tree.table.find_table(gfn, Level::k4K);
    const mmu::LeafTable found = known.at(gfn.value);
    REQUIRE(found.full() == (at.compact ? mmu::kNoPage : at.id));
    REQUIRE(found.compact() == (at.compact ? at.id : mmu::kNoPage));
  }
}

}  // namespace

TEST_CASE("the accounts equal what a walk of the whole tree counts") {
  std::mt19937_64 random(3);
  Tree tree;
  for (int i = 0; i < 4000; ++i) {
    const mmu::AliasedGfn gfn{random() % 4 * mmu::bit(18) + random() % 3 * 512 +
                              random() % 60};
    const auto level = mmu::level_of(random() % 20 == 0 ? 2 : 1);
    TableRef at = tree.reach(gfn, level);
    const unsigned index = mmu::table_index(gfn, level);
    switch (random() % 4) {
      case 0:
        tree.table.set_spte(at, index, mmu::Spte{});
        break;
      case 1:
        if (level == Level::k4K) {
          tree.table.set_spte(at, index, mmu::make_mmio({gfn.value}, i));
          break;
        }
        [[fallthrough]];
      default:
        tree.table.set_spte(
            at, index,
            mmu::make_leaf({mmu::round_down(gfn, level).value}, level, true));
    }
    if (i % 500 == 0) check_accounts(tree);
  }
  check_accounts(tree);
  tree.table.drop_root();
  check_accounts(tree);
  CHECK(tree.pool.bytes_in_use() == 0);
}

TEST_CASE("the directory has the table of each region, and no other") {
  std::mt19937_64 random(11);
  Tree tree;
  constexpr std::uint64_t kRegions = 1100;
  for (int i = 0; i < 6000; ++i) {
    const std::uint64_t region =
        random() % 8 == 0 ? random() % kRegions : 510 + random() % 4;
    const mmu::AliasedGfn gfn{region * mmu::kEntries + random() % 40};
    const auto level = mmu::level_of(random() % 12 == 0 ? 2 : 1);
    TableRef at = tree.reach(gfn, level);
    const unsigned index = mmu::table_index(gfn, level);
    const mmu::Spte leaf =
        mmu::Spte{mmu::ept::kMmuPresent | mmu::ept::kRead |
                  (level == Level::k2M ? mmu::ept::kHuge : 0)};
    // A leaf or nothing: over a link either drops the table below it.
    tree.table.set_spte(at, index, random() % 5 == 0 ? mmu::Spte{} : leaf);
    if (random() % 900 == 0) tree.table.drop_root();
    if (i % 100 == 0) check_directory(tree, kRegions);
  }
  check_directory(tree, kRegions);
}

TEST_CASE("a directory knows regions up to the top of 40-bit frames") {
  mmu::LeafDirectory directory;
  const std::uint64_t frames[] = {0,
                                  511,
                                  512,
                                  mmu::bit(31) - 1,
                                  mmu::bit(31),
                                  mmu::bit(35),
                                  mmu::bit(40) - 1};
  mmu::PageId id = 7;
  const auto full = [&](std::uint64_t frame) {
    return directory.stretches().at(frame).full();
  };
  const auto compact = [&](std::uint64_t frame) {
    return directory.stretches().at(frame).compact();
  };
  for (const std::uint64_t frame : frames) {
    CHECK(full(frame) == (frame == 511 ? 7 : 0));
    directory.put(frame, id++, false);
    CHECK(full(frame) == id - 1);
    CHECK(compact(frame) == mmu::kNoPage);
  }
  directory.put(mmu::bit(35), 99, true);
  directory.forget(mmu::bit(35), 98);
  CHECK(compact(mmu::bit(35)) == 99);
  CHECK(full(mmu::bit(35)) == mmu::kNoPage);
  directory.forget(mmu::bit(35), 99);
  CHECK(compact(mmu::bit(35)) == mmu::kNoPage);
  CHECK(full(mmu::bit(40) - 1) == id - 1);
}

TEST_CASE("a table whose id needs the bit of the shape is not noted") {
  mmu::LeafDirectory directory;
  for (const bool is_compact : {false, true}) {
    directory.put(0, 5, is_compact);
    directory.put(0, mmu::LeafTable::kCompact, is_compact);
    CHECK(directory.stretches().at(0).word == mmu::kNoPage);
    directory.put(0, mmu::LeafTable::kCompact - 1, is_compact);
    CHECK(directory.stretches().at(0).word != mmu::kNoPage);
  }
}

TEST_CASE("a table that grows keeps every entry and its place in the tree") {
  Tree tree;
  const mmu::AliasedGfn base{0x12345000};
  for (unsigned i = 0; i < 40; ++i) {
    TableRef at = tree.reach(base, Level::k4K);
    CHECK(at.compact == (i <= mmu::kCompactSlots));
    tree.table.set_spte(at, i * 12, mmu::make_leaf({i + 1}, Level::k4K, true));
    for (unsigned j = 0; j <= i; ++j) {
      const TableRef now = tree.table.find_table(base, Level::k4K);
      REQUIRE(tree.table.get(now, j * 12).pfn().value == j + 1);
    }
  }
  check_accounts(tree);
}

TEST_CASE("as many leaf tables start full as went with more than 16 entries") {
  Tree tree;
  const auto fill = [&](std::uint64_t region, unsigned entries) {
    for (unsigned i = 0; i < entries; ++i) {
      const mmu::AliasedGfn gfn{region * mmu::kEntries + i};
      TableRef at = tree.reach(gfn, Level::k4K);
      tree.table.set_spte(at, i, mmu::make_leaf({i}, Level::k4K, true));
    }
  };
  // 16, 17 and all 512 of a region: two of three went with more.
  fill(0, 16);
  fill(1, 17);
  fill(2, 512);
  check_accounts(tree);
  tree.table.drop_root();
  for (std::uint64_t region = 10; region < 14; ++region) {
    CAPTURE(region);
    const TableRef at = tree.reach({region * mmu::kEntries}, Level::k4K);
    CHECK(at.compact == (region >= 12));
  }
  check_accounts(tree);
  // None of those has.
  tree.table.drop_root();
  CHECK(tree.reach({0}, Level::k4K).compact);
}

TEST_CASE("splitting keeps frame, permissions and Dirty of every page") {
  Tree tree;
  TableRef at = tree.reach({512}, Level::k2M);
  const mmu::Spte huge =
      mmu::make_leaf({0x200}, Level::k2M, true).without(mmu::ept::kWrite);
  tree.table.set_spte(at, 1, huge);
  const std::uint64_t changed = tree.accounts.changed;
  const TableRef child = tree.table.split(at, 1);
  CHECK(tree.accounts.changed == changed + 1);
  for (unsigned i = 0; i < mmu::kEntries; ++i) {
    CHECK(tree.table.get(child, i) ==
          mmu::make_leaf({0x200 + i}, Level::k4K, true)
              .without(mmu::ept::kWrite));
  }
  check_accounts(tree);
}

TEST_CASE("a range above the tree meets no entry of a frame below it") {
  Tree tree;
  TableRef at = tree.reach({5}, Level::k4K);
  tree.table.set_spte(at, 5, mmu::make_leaf({5}, Level::k4K, true));
  const std::uint64_t end = mmu::bit(36);
  CHECK_FALSE(mmu::TableWalk(tree.table, {{end}, {end + 64}}));
  CHECK_FALSE(mmu::TableWalk(tree.table, {{end - 8}, {end + 64}}));
  CHECK(mmu::TableWalk(tree.table, {{0}, {end + 64}}));
}
