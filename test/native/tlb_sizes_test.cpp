// TLBs of several arrays and page sizes, requests of flushes, and what of a
// large entry is overdue.
#include <doctest/doctest.h>

#include <algorithm>
#include <list>
#include <random>
#include <set>

#include "core/tlb.hpp"

namespace {

using mmu::AliasedGfn;
using mmu::AliasedRange;
using mmu::Level;
using mmu::Tlb;
using mmu::TlbEntry;
using mmu::TlbGeometry;
using mmu::TlbKind;
using mmu::TlbSet;
using mmu::TlbShape;

constexpr TlbKind k4K = mmu::leaf_kind(Level::k4K);
constexpr TlbKind k2M = mmu::leaf_kind(Level::k2M);
constexpr TlbKind k1G = mmu::leaf_kind(Level::k1G);
constexpr TlbKind kPde = mmu::link_kind(Level::k2M);
constexpr unsigned kSmallAndHuge = TlbGeometry::k4K | TlbGeometry::k2M;

TlbSet make(const TlbShape& shape, unsigned vcpus = 1) {
  auto made = TlbSet::create(shape, vcpus);
  REQUIRE(made);
  return std::move(made.value());
}

TlbShape two_arrays() {
  return {.arrays = {{8, 2, kSmallAndHuge},
                     {6, 2, TlbGeometry::k4K | TlbGeometry::k1G}},
          .links = {2, 1, 0, 0}};
}

TlbEntry entry_of(TlbKind kind, std::uint64_t frame, std::uint64_t pfn = 0) {
  return {.gfn = round_down(AliasedGfn{frame}, mmu::span_of(kind)),
          .pfn = {pfn},
          .kind = kind};
}

// Every entry that there is, by a list a set in order of use. A set has a
// number: of its array, or of its kind of link.
struct Model {
  std::vector<std::list<TlbEntry>> sets = std::vector<std::list<TlbEntry>>(9);

  // Of two_arrays(): sets 0 to 3 of 4K and 2M, 4 to 6 of 4K and 1G, 7 and 8 of
  // links, where 7 has two ways and 8 one.
  static unsigned set_of(TlbKind kind, AliasedGfn gfn) {
    const std::uint64_t page = gfn.value / mmu::pages_per(mmu::span_of(kind));
    if (kind == k4K) return static_cast<unsigned>(page % 7);
    if (kind == k2M) return static_cast<unsigned>(page % 4);
    if (kind == k1G) return static_cast<unsigned>(4 + page % 3);
    return kind == kPde ? 7 : 8;
  }
  static bool is_same(const TlbEntry& a, const TlbEntry& b) {
    return a.kind == b.kind && a.gfn == b.gfn && a.root == b.root &&
           a.incarnation == b.incarnation;
  }
  void insert(const TlbEntry& entry) {
    const unsigned number = set_of(entry.kind, entry.gfn);
    auto& set = sets[number];
    set.remove_if([&](const TlbEntry& each) { return is_same(each, entry); });
    set.push_front(entry);
    if (set.size() > (number == 8 ? 1u : 2u)) set.pop_back();
  }
  void flush(AliasedRange range) {
    for (auto& set : sets) {
      set.remove_if(
          [&](const TlbEntry& each) { return each.frames().overlaps(range); });
    }
  }
  std::multiset<std::pair<unsigned, std::uint64_t>> all() const {
    std::multiset<std::pair<unsigned, std::uint64_t>> found;
    for (const auto& set : sets) {
      for (const TlbEntry& each : set)
        found.insert({unsigned{each.kind}, each.gfn.value});
    }
    return found;
  }
};

std::multiset<std::pair<unsigned, std::uint64_t>> all(TlbSet& tlbs) {
  std::multiset<std::pair<unsigned, std::uint64_t>> found;
  tlbs.for_each([&](TlbEntry& entry) {
    found.insert({unsigned{entry.kind}, entry.gfn.value});
  });
  return found;
}

TlbEntry any_entry(std::mt19937_64& random) {
  constexpr TlbKind kKinds[] = {k4K, k4K, k2M, k1G, kPde, mmu::TlbKind{4}};
  TlbEntry entry = entry_of(kKinds[random() % std::size(kKinds)],
                            random() % (3 * pages_per(Level::k1G)));
  if (entry.kind == k4K) entry.gfn.value %= 2000;
  entry.root = static_cast<std::uint8_t>(random() % 2);
  entry.incarnation = static_cast<std::uint32_t>(random() % 2);
  return entry;
}

bool is_found(Tlb& tlb, std::uint64_t frame) {
  return tlb.lookup(0, 0, {frame}) != nullptr;
}

}  // namespace

TEST_CASE("a TLB of two arrays and links is lists in order of use") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    TlbSet tlbs = make(two_arrays());
    Model model;
    for (int i = 0; i < 2000; ++i) {
      const TlbEntry entry = any_entry(random);
      const std::uint64_t start = random() % 4000;
      const AliasedRange range{{start}, {start + random() % 700}};
      switch (random() % 20) {
        case 0:
          tlbs.request_flush();
          model = {};
          break;
        case 1:
          tlbs.flush_range(range);
          model.flush(range);
          break;
        default:
          tlbs[0].insert(entry);
          model.insert(entry);
      }
      REQUIRE(all(tlbs) == model.all());
    }
    CHECK(tlbs[0].used() == model.all().size());
  }
}

TEST_CASE("the smallest entry that has a frame answers for it") {
  TlbSet tlbs = make(two_arrays());
  Tlb& tlb = tlbs[0];
  tlb.insert(entry_of(k1G, 0, 1000));
  CHECK(tlb.lookup(0, 0, {513})->pfn_of({513}) == mmu::Pfn{1513});
  tlb.insert(entry_of(k2M, 512, 9000));
  CHECK(tlb.lookup(0, 0, {513})->pfn_of({513}) == mmu::Pfn{9001});
  tlb.insert(entry_of(k4K, 513, 7));
  CHECK(tlb.lookup(0, 0, {513})->pfn_of({513}) == mmu::Pfn{7});
  CHECK(tlb.lookup(0, 0, {514})->frames().size() == 512);
  CHECK(tlb.lookup(0, 0, {1024})->frames().size() == 1u << 18);
}

TEST_CASE("a leaf that is larger than what can be held is held in parts") {
  CHECK(make(TlbShape::small(12))[0].kind_for(Level::k1G) == k4K);
  CHECK(make({{{12, 12, kSmallAndHuge}}})[0].kind_for(Level::k1G) == k2M);
  CHECK(make({{{12, 12, kSmallAndHuge}}})[0].kind_for(Level::k4K) == k4K);
  CHECK(make(two_arrays())[0].kind_for(Level::k1G) == k1G);
}

TEST_CASE("a range takes each entry that has a frame of it, and no other") {
  TlbSet tlbs = make(two_arrays());
  Tlb& tlb = tlbs[0];
  const auto fill = [&] {
    tlb.insert(entry_of(k2M, 512));
    tlb.insert(entry_of(k2M, 1024));
    tlb.insert(entry_of(kPde, 512));
  };
  for (const AliasedRange range :
       {AliasedRange{{1023}, {1024}}, AliasedRange{{512}, {513}},
        AliasedRange{{0}, {513}}}) {
    fill();
    tlbs.flush_range(range);
    CHECK(!is_found(tlb, 700));
    CHECK(is_found(tlb, 1024));
    CHECK(tlb.lookup(kPde, 0, 0, {512}) == nullptr);
  }
  fill();
  tlbs.flush_range({{0}, {512}});
  tlbs.flush_range({{600}, {600}});
  CHECK(is_found(tlb, 700));
  CHECK(tlb.lookup(kPde, 0, 0, {512}) != nullptr);
}

TEST_CASE("a range that has a frame of a leaf takes all parts of it") {
  for (const Level leaf : {Level::k2M, Level::k1G}) {
    TlbSet tlbs = make(TlbShape::small(24));
    Tlb& tlb = tlbs[0];
    const std::uint64_t pages = mmu::pages_per(leaf);
    TlbEntry part = entry_of(k4K, pages + 300);
    part.level = static_cast<std::uint8_t>(leaf);
    tlb.insert(part);
    TlbEntry page = entry_of(k4K, pages + 301);
    page.level = 1;
    tlb.insert(page);
    tlbs.flush_range({{pages - 1}, {pages}});
    CHECK(tlb.used() == 2);
    tlbs.flush_range({{2 * pages - 1}, {2 * pages}});
    CHECK(!is_found(tlb, pages + 300));
    CHECK(is_found(tlb, pages + 301));
    // A flush of everything forgets that there were parts.
    tlb.insert(part);
    tlbs.request_flush();
    tlbs[0].insert(page);
    tlbs.flush_range({{2 * pages - 1}, {2 * pages}});
    CHECK(is_found(tlb, pages + 301));
  }
}

TEST_CASE("a vCPU that was asked to flush has nothing, and serves it once") {
  TlbSet tlbs = make(TlbShape::small(24), 2);
  for (unsigned vcpu = 0; vcpu < 2; ++vcpu) tlbs[vcpu].insert(entry_of(k4K, 1));
  CHECK(all(tlbs).size() == 2);
  tlbs.request_flush();
  tlbs.request_flush();
  // Nobody has served it, and nothing is there for whoever looks.
  CHECK(all(tlbs).empty());
  unsigned seen = 0;
  tlbs.for_each_tlb([&](Tlb&) { ++seen; });
  CHECK(seen == 0);
  CHECK(!is_found(tlbs[0], 1));
  tlbs[0].insert(entry_of(k4K, 2));
  CHECK(all(tlbs).size() == 1);
  CHECK(is_found(tlbs[0], 2));
  CHECK(!is_found(tlbs[1], 1));
  CHECK(tlbs[1].used() == 0);
}

TEST_CASE("a vCPU that is made later owes no flush of before") {
  TlbSet tlbs = make(TlbShape::small(24));
  tlbs.request_flush();
  REQUIRE_FALSE(tlbs.add());
  tlbs[1].insert(entry_of(k4K, 1));
  CHECK(all(tlbs).size() == 1);
}

TEST_CASE("what a million flushes ago was cached does not come back") {
  TlbSet tlbs = make(TlbShape::small(4, 1));
  tlbs[0].insert(entry_of(k4K, 1));
  for (unsigned i = 0; i <= 1u << 20; ++i) {
    tlbs.request_flush();
    REQUIRE(!is_found(tlbs[0], 1));
    tlbs[0].insert(entry_of(k4K, 2));
  }
  CHECK(tlbs[0].used() == 1);
}

TEST_CASE("frames of a large entry are overdue, and forgiven together") {
  TlbSet tlbs = make(two_arrays());
  Tlb& tlb = tlbs[0];
  TlbEntry& entry = tlb.insert(entry_of(k2M, 512));
  tlb.owe(entry, {{600}, {602}});
  tlb.owe(entry, {{900}, {901}});
  CHECK(!tlb.settle(entry, {599}));
  CHECK(!tlb.settle(entry, {602}));
  CHECK(tlb.settle(entry, {900}));
  CHECK(!tlb.settle(entry, {600}));
  TlbEntry& small = tlb.insert(entry_of(k4K, 3));
  tlb.owe(small, {{3}, {4}});
  CHECK(tlb.settle(small, {3}));
  CHECK(!tlb.settle(small, {3}));
}

TEST_CASE("what an entry owed goes with it") {
  for (const int way : {0, 1, 2, 3}) {
    CAPTURE(way);
    TlbSet tlbs = make(two_arrays());
    TlbEntry& entry = tlbs[0].insert(entry_of(k2M, 512));
    tlbs[0].owe(entry, {{600}, {602}});
    if (way == 0) tlbs[0].remove(entry);
    if (way == 1) tlbs.request_flush();
    if (way == 2) tlbs.flush_range({{512}, {513}});
    if (way == 3) {
      // Pushed out by the next two of its set, one of which takes its place.
      tlbs[0].insert(entry_of(k2M, 5 * 512));
      tlbs[0].insert(entry_of(k2M, 9 * 512));
    }
    TlbEntry& again = tlbs[0].insert(entry_of(k2M, 512));
    CHECK(!again.overdue);
    unsigned owed = 0;
    again.overdue = true;
    tlbs[0].each_owed(again, [&](AliasedRange) { ++owed; });
    again.overdue = false;
    CHECK(owed == 0);
  }
}

TEST_CASE("a shape of no sense is refused") {
  const auto refused = [](const TlbShape& shape) {
    const auto made = TlbSet::create(shape, 1);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == mmu::ErrorCode::kConfig);
    return made.error().message();
  };
  CHECK(refused({}).starts_with("a TLB must have 1 to 8 arrays"));
  CHECK(refused({{{4, 2, TlbGeometry::k2M}}})
            .starts_with("a TLB must have an array that holds 4K pages"));
  CHECK(refused({{{4, 2, 0}}}).find("page sizes") != std::string::npos);
  CHECK(refused({{{4, 2, 9}}}).find("page sizes") != std::string::npos);
  CHECK(refused({{{4, 2, 1}}, {0, 65, 0, 0}})
            .starts_with("a TLB must have at most 64 entries in each"));
  TlbShape many;
  many.arrays.assign(9, {4, 2, 1});
  CHECK(refused(many).starts_with("a TLB must have 1 to 8 arrays"));
}
