#include "core/tlb.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <map>
#include <random>
#include <tuple>

namespace {

using mmu::AliasedGfn;
using mmu::TlbEntry;
using mmu::TlbGeometry;
using mmu::TlbSet;

TlbSet make(TlbGeometry geometry, unsigned vcpus = 1) {
  auto made = TlbSet::create(geometry, vcpus);
  REQUIRE(made);
  return std::move(made.value());
}

using Fields = std::tuple<std::uint64_t, std::uint8_t, std::uint32_t,
                          std::uint8_t, std::uint64_t, bool>;

Fields fields(const TlbEntry& entry) {
  return {entry.gfn.value, entry.root,      entry.incarnation,
          entry.rights,    entry.pfn.value, entry.overdue};
}

bool same_tag(const TlbEntry& a, const TlbEntry& b) {
  return a.gfn == b.gfn && a.root == b.root && a.incarnation == b.incarnation;
}

// A list a set, most recently used first.
struct Model {
  TlbGeometry geometry;
  std::map<std::uint64_t, std::list<TlbEntry>> sets;

  std::list<TlbEntry>& set_of(AliasedGfn gfn) {
    return sets[gfn.value % geometry.sets()];
  }
  TlbEntry* find(const TlbEntry& wanted) {
    for (TlbEntry& entry : set_of(wanted.gfn)) {
      if (same_tag(entry, wanted)) return &entry;
    }
    return nullptr;
  }
  void drop(const TlbEntry& wanted) {
    set_of(wanted.gfn).remove_if([&](const TlbEntry& entry) {
      return same_tag(entry, wanted);
    });
  }
  void insert(const TlbEntry& entry) {
    drop(entry);
    set_of(entry.gfn).push_front(entry);
    if (set_of(entry.gfn).size() > geometry.ways) set_of(entry.gfn).pop_back();
  }
  void flush(mmu::AliasedRange range) {
    for (auto& [set, list] : sets) {
      list.remove_if(
          [&](const TlbEntry& entry) { return range.contains(entry.gfn); });
    }
  }
  std::vector<Fields> all() const {
    std::vector<Fields> found;
    for (const auto& [set, list] : sets) {
      for (const TlbEntry& entry : list) found.push_back(fields(entry));
    }
    std::sort(found.begin(), found.end());
    return found;
  }
};

std::vector<Fields> all(TlbSet& tlbs) {
  std::vector<Fields> found;
  tlbs.for_each([&](TlbEntry& entry) { found.push_back(fields(entry)); });
  std::sort(found.begin(), found.end());
  return found;
}

// Frames crowd at both ends of the space, where sets fill up.
AliasedGfn any_frame(std::mt19937_64& random, const TlbGeometry& geometry) {
  const std::uint64_t near = random() % (geometry.entries * 2);
  return {random() % 4 == 0 ? mmu::bit(40) - 1 - near : near};
}

mmu::AliasedRange any_range(std::mt19937_64& random,
                            const TlbGeometry& geometry) {
  const std::uint64_t start = any_frame(random, geometry).value;
  const std::uint64_t sets = geometry.sets();
  const std::uint64_t sizes[] = {0, 1, 1, 1, 2, sets - 1, sets, sets + 1};
  return {{start}, {start + sizes[random() % std::size(sizes)]}};
}

TlbEntry any_entry(std::mt19937_64& random, const TlbGeometry& geometry) {
  TlbEntry entry;
  entry.gfn = any_frame(random, geometry);
  entry.pfn = {random() % 1000};
  entry.incarnation = static_cast<std::uint32_t>(random() % 3);
  entry.root = static_cast<std::uint8_t>(random() % 2);
  entry.rights = static_cast<std::uint8_t>(random() % 8);
  entry.overdue = random() % 2 == 0;
  return entry;
}

void play(TlbGeometry geometry, std::uint64_t seed) {
  CAPTURE(seed);
  CAPTURE(geometry.entries);
  CAPTURE(geometry.ways);
  std::mt19937_64 random(seed);
  TlbSet tlbs = make(geometry);
  Model model{geometry, {}};
  for (int i = 0; i < 1500; ++i) {
    const TlbEntry entry = any_entry(random, geometry);
    TlbEntry* found = tlbs[0].lookup(entry.root, entry.incarnation, entry.gfn);
    TlbEntry* expected = model.find(entry);
    REQUIRE((found != nullptr) == (expected != nullptr));
    const auto choice = random() % 100;
    if (choice < 60) {
      REQUIRE(fields(tlbs[0].insert(entry)) == fields(entry));
      model.insert(entry);
    } else if (choice < 70) {
      const mmu::AliasedRange range = any_range(random, geometry);
      tlbs.flush_range(range);
      model.flush(range);
    } else if (choice == 70) {
      tlbs.request_flush();
      model.sets.clear();
    } else if (found != nullptr && choice < 80) {
      tlbs[0].remove(*found);
      model.drop(entry);
    } else if (found != nullptr) {
      REQUIRE(fields(*found) == fields(*expected));
      tlbs[0].touch(*found);
      model.insert(TlbEntry{*expected});
    }
    if (i % 20 == 0) REQUIRE(all(tlbs) == model.all());
    if (i % 20 == 0) REQUIRE(tlbs[0].used() == model.all().size());
  }
  REQUIRE(all(tlbs) == model.all());
}

}  // namespace

TEST_CASE("a TLB of any geometry behaves like a list in order of use") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    for (const TlbGeometry geometry :
         {TlbGeometry{1, 1}, TlbGeometry{4, 4}, TlbGeometry{7, 1},
          TlbGeometry{24, 3}, TlbGeometry{36, 12}, TlbGeometry{64, 64},
          TlbGeometry{96, 12}, TlbGeometry{60, 4}}) {
      play(geometry, seed);
    }
  }
}

TEST_CASE("a lookup alone does not save an entry from eviction, a touch does") {
  for (const bool touched : {false, true}) {
    TlbSet tlbs = make({2, 2});
    mmu::Tlb& tlb = tlbs[0];
    tlb.insert({.gfn = {1}, .pfn = {1}});
    tlb.insert({.gfn = {2}, .pfn = {2}});
    TlbEntry* first = tlb.lookup(0, 0, {1});
    REQUIRE(first != nullptr);
    if (touched) tlb.touch(*first);
    tlb.insert({.gfn = {3}, .pfn = {3}});
    CHECK((tlb.lookup(0, 0, {1}) != nullptr) == touched);
    CHECK((tlb.lookup(0, 0, {2}) != nullptr) != touched);
  }
}

TEST_CASE("an old incarnation stays until its set has use for the place") {
  TlbSet tlbs = make({2, 2});
  mmu::Tlb& tlb = tlbs[0];
  tlb.insert({.gfn = {5}, .pfn = {1}, .incarnation = 0});
  tlb.insert({.gfn = {5}, .pfn = {2}, .incarnation = 1});
  CHECK(tlb.used() == 2);
  CHECK(tlb.lookup(0, 0, {5})->pfn == mmu::Pfn{1});
  CHECK(tlb.lookup(0, 1, {5})->pfn == mmu::Pfn{2});
  CHECK(tlb.lookup(1, 1, {5}) == nullptr);
  tlb.insert({.gfn = {5}, .pfn = {3}, .incarnation = 2});
  CHECK(tlb.lookup(0, 0, {5}) == nullptr);
  CHECK(tlb.lookup(0, 1, {5}) != nullptr);
}

TEST_CASE("vCPUs share nothing, and a flush reaches all of them") {
  TlbSet tlbs = make({8, 2}, 3);
  CHECK(tlbs.vcpus() == 3);
  tlbs[1].insert({.gfn = {9}, .pfn = {1}});
  CHECK(tlbs[0].lookup(0, 0, {9}) == nullptr);
  CHECK(tlbs[2].lookup(0, 0, {9}) == nullptr);
  TlbSet moved = std::move(tlbs);
  REQUIRE(moved[1].lookup(0, 0, {9}) != nullptr);
  moved[2].insert({.gfn = {9}, .pfn = {1}});
  moved[2].insert({.gfn = {10}, .pfn = {1}});
  moved.flush_range({{9}, {10}});
  CHECK(moved[1].used() == 0);
  CHECK(moved[2].used() == 1);
  moved.request_flush();
  CHECK(moved[2].used() == 0);
}

TEST_CASE("a geometry of no sense is refused with its numbers") {
  for (const TlbGeometry geometry :
       {TlbGeometry{12, 0}, TlbGeometry{130, 65}, TlbGeometry{0, 4},
        TlbGeometry{13, 12}, TlbGeometry{4, 8}, TlbGeometry{(1u << 20) + 1, 1},
        TlbGeometry{~0u, 1}}) {
    const auto made = TlbSet::create(geometry, 1);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == mmu::ErrorCode::kConfig);
    CHECK(made.error().message().starts_with(
        "a TLB of " + std::to_string(geometry.entries) + " entries in " +
        std::to_string(geometry.ways) + " ways must have "));
  }
  CHECK(make({1u << 20, 64}).vcpus() == 1);
}

TEST_CASE("the largest TLBs of the most vCPUs cost only what they hold") {
  auto made = TlbSet::create({1u << 20, 64}, 65536);
  // A host without overcommit may refuse so much address space.
  if (!made) {
    CHECK(made.error().code == mmu::ErrorCode::kOutOfMemory);
    return;
  }
  made.value()[65535].insert({.gfn = {mmu::bit(40) - 1}, .pfn = {7}});
  CHECK(made.value()[65535].used() == 1);
}
