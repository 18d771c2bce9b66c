// The judges of a group of last entries, of every width, beside one that looks
// at each entry by itself.
#include "core/guest/leaf_group.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cstring>
#include <random>
#include <vector>

#include "core/address.hpp"
#include "core/guest/entry_format.hpp"

namespace {

using namespace mmu;

struct Judged {
  bool accepted = true;
  std::array<double, kLeafGroup> gpa{};
  std::array<std::uint8_t, kLeafGroup> granted{};
};

struct Group {
  std::array<std::uint64_t, kLeafGroup> gva;
  std::array<std::uint64_t, kLeafGroup> leaf;
  std::array<std::uint64_t, kLeafGroup> above;

  Judged by(JudgeLeaves judge, const LeafDemands& demands) const {
    LeafGroup group{.gva = gva.data(), .at = {}, .above = above};
    for (std::size_t i = 0; i < kLeafGroup; ++i) {
      group.at[i] = reinterpret_cast<const std::byte*>(&leaf[i]);
    }
    Judged found;
    found.accepted =
        judge(demands, group, found.gpa.data(), found.granted.data());
    return found;
  }

  Judged one_by_one(const LeafDemands& demands) const {
    Judged found;
    for (std::size_t i = 0; i < kLeafGroup; ++i) {
      const unsigned granted = static_cast<unsigned>(above[i] & 7) &
                               Entry64::granted(Entry64::rights_of(leaf[i]));
      const bool has_all = (leaf[i] & demands.needs) == demands.needs;
      const bool is_reserved = (leaf[i] & demands.reserved) != 0;
      const bool is_refused = (demands.forbidden >> granted & 1) != 0;
      if (!has_all || is_reserved || is_refused) found.accepted = false;
      const unsigned clean =
          (leaf[i] & Entry64::kDirty) != 0 ? 0 : kGrantsWrite;
      found.granted[i] = static_cast<std::uint8_t>(granted & ~clean);
      found.gpa[i] = static_cast<double>((leaf[i] & Entry64::kFrame) |
                                         (gva[i] & (kPageSize - 1)));
    }
    return found;
  }
};

constexpr std::uint64_t kPlain = 1 | Entry64::kAccessed;

// All plain but for at most one entry, so that groups are accepted and refused
// about as often.
Group random_group(std::mt19937_64& random) {
  Group group;
  for (std::size_t i = 0; i < kLeafGroup; ++i) {
    group.gva[i] = random();
    group.leaf[i] = (random() & ~bits(51, 46)) | kPlain | 6;
    group.above[i] = random() | 7;
  }
  const std::size_t odd = random() % kLeafGroup;
  switch (random() % 5) {
    case 0:
      group.leaf[odd] &= ~bit(random() % 7);
      break;
    case 1:
      group.leaf[odd] |= bit(46 + random() % 6);
      break;
    case 2:
      group.above[odd] &= ~bit(random() % 3);
      break;
    default:
      break;
  }
  return group;
}

std::vector<unsigned> widths() {
  std::vector<unsigned> found;
  for (const unsigned width : {128u, 256u, 512u}) {
    if (leaf_judge(width) != nullptr) found.push_back(width);
  }
  return found;
}

}  // namespace

TEST_CASE("every width of vectors judges a group as each entry by itself") {
  std::mt19937_64 random(20261123);
  unsigned accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    const Group group = random_group(random);
    const LeafDemands demands{kPlain | (random() % 2) * Entry64::kDirty,
                              bits(51, 46), random() & 0xff & random()};
    const Judged expected = group.one_by_one(demands);
    accepted += expected.accepted ? 1 : 0;
    for (const unsigned width : widths()) {
      CAPTURE(width);
      const Judged found = group.by(leaf_judge(width), demands);
      REQUIRE(found.accepted == expected.accepted);
      if (!expected.accepted) continue;
      REQUIRE(found.granted == expected.granted);
      REQUIRE(found.gpa == expected.gpa);
    }
  }
  CHECK(accepted > 100);
}

TEST_CASE("a group that leads to the top of 52 bits is exact as doubles") {
  Group group;
  group.gva.fill(0xfff);
  group.leaf.fill(Entry64::kFrame | kPlain);
  group.above.fill(7);
  for (const unsigned width : widths()) {
    const Judged found = group.by(leaf_judge(width), {kPlain, 0, 0});
    REQUIRE(found.accepted);
    REQUIRE(found.gpa[31] == static_cast<double>(bits(51, 0)));
  }
}

TEST_CASE("the widest judge there is is the one that is taken") {
  const bool is_widest = leaf_judge() == leaf_judge(widths().back());
  CHECK(is_widest);
  const bool is_none = leaf_judge(64) == nullptr;
  CHECK(is_none);
}
