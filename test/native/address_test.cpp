#include "core/address.hpp"

#include <doctest/doctest.h>

#include <concepts>

namespace {

using mmu::AliasedGfn;
using mmu::Gfn;
using mmu::Gpa;
using mmu::Level;

template <class A, class B>
concept Meets = requires(A a, B b) { a == b; } ||
                requires(A a, B b) { a < b; } || std::convertible_to<A, B> ||
                std::constructible_from<B, A> || std::assignable_from<B&, A>;

// The law that the type exists for: the two forms of a gfn never meet.
static_assert(!Meets<Gfn, AliasedGfn> && !Meets<AliasedGfn, Gfn>);
static_assert(!Meets<Gpa, AliasedGfn> && !Meets<Gpa, Gfn>);
static_assert(!std::convertible_to<std::uint64_t, Gfn>);
static_assert(!std::convertible_to<mmu::GfnRange, mmu::AliasedRange>);

}  // namespace

TEST_CASE("indexes of worked addresses, root first") {
  struct Row {
    std::uint64_t gpa;
    unsigned index[5];
  };
  const Row rows[] = {
      {0x0000000000100000, {0, 0, 0, 0, 256}},
      {0x0000800000100000, {0, 256, 0, 0, 256}},
      {0x0008000000100000, {8, 0, 0, 0, 256}},
      {0x00007fffffffffff, {0, 255, 511, 511, 511}},
  };
  for (const Row& row : rows) {
    for (unsigned level = 5; level >= 1; --level) {
      CHECK(mmu::table_index(mmu::gfn_of(Gpa{row.gpa}), mmu::level_of(level)) ==
            row.index[5 - level]);
    }
  }
}

TEST_CASE("a range that ends where another starts does not overlap it") {
  const mmu::GfnRange low{{0}, {10}};
  CHECK_FALSE(low.overlaps({{10}, {20}}));
  CHECK(low.overlaps({{9}, {20}}));
  CHECK_FALSE(low.contains(Gfn{10}));
  CHECK(low.contains(Gfn{9}));
}
