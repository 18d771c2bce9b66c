#include "core/guest_mtrrs.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <tuple>

using mmu::Gfn;
using mmu::GfnRange;
using mmu::GuestMtrrs;
using Type = mmu::MemoryType;

namespace {

constexpr std::uint32_t kDefault = GuestMtrrs::kDefaultType;
constexpr std::uint64_t kOn = mmu::bit(11);
constexpr std::uint64_t kFixedOn = mmu::bit(10);
constexpr std::uint64_t kWriteBack = 6;
constexpr unsigned kWidth = 46;

std::uint64_t all_bytes(std::uint64_t type) {
  return type * 0x0101010101010101;
}

GuestMtrrs with_default(std::uint64_t value) {
  GuestMtrrs mtrrs(kWidth);
  CHECK(mtrrs.write(kDefault, value));
  return mtrrs;
}

// A power of two of bytes, at a multiple of it.
void set(GuestMtrrs& mtrrs, unsigned n, std::uint64_t start,
         std::uint64_t bytes, std::uint64_t type) {
  const std::uint64_t mask = (mmu::bit(kWidth) - bytes) | mmu::bit(11);
  CHECK(mtrrs.write(0x200 + 2 * n, start | type));
  CHECK(mtrrs.write(0x201 + 2 * n, mask));
}

std::string text(GfnRange range) {
  return std::to_string(range.start.value) + "+" + std::to_string(range.size());
}

Type type_at(const GuestMtrrs& mtrrs, std::uint64_t gpa) {
  return mtrrs.type_of({gpa >> mmu::kPageShift});
}
bool is_uniform(const GuestMtrrs& mtrrs, std::uint64_t start,
                std::uint64_t end) {
  return mtrrs.is_uniform({{start >> 12}, {end >> 12}});
}

}  // namespace

TEST_CASE("what a processor answers with #GP is refused") {
  GuestMtrrs mtrrs(kWidth);
  for (const std::uint64_t type : {2, 3, 7, 8, 0x86, 0xff}) {
    CAPTURE(type);
    CHECK(!mtrrs.write(kDefault, type));
    CHECK(!mtrrs.write(0x200, type));
    CHECK(!mtrrs.write(0x250, type << 56));
  }
  for (const unsigned reserved : {8u, 9u, 12u, 46u, 63u}) {
    CHECK(!mtrrs.write(kDefault, mmu::bit(reserved)));
  }
  for (const unsigned reserved : {8u, 11u, kWidth, 63u}) {
    CHECK(!mtrrs.write(0x20e, mmu::bit(reserved)));
  }
  for (const unsigned reserved : {0u, 10u, kWidth, 63u}) {
    CHECK(!mtrrs.write(0x20f, mmu::bit(reserved)));
  }
  for (const std::uint32_t msr :
       {0u, 0x1ffu, 0x210u, 0x24fu, 0x251u, 0x257u, 0x25au, 0x267u, 0x270u,
        0x277u, 0x2feu, 0x300u, ~0u}) {
    CAPTURE(msr);
    CHECK(!mtrrs.write(msr, 0));
    CHECK(mtrrs.range_of(msr).empty());
  }
}

TEST_CASE("every register takes every type that there is") {
  GuestMtrrs mtrrs(kWidth);
  for (const std::uint64_t type : {0, 1, 4, 5, 6}) {
    CHECK(mtrrs.write(kDefault, type | kOn | kFixedOn));
    for (std::uint32_t msr = 0x200; msr < 0x210; msr += 2) {
      CHECK(mtrrs.write(msr, type | (mmu::bit(kWidth) - 0x1000)));
    }
    for (const std::uint32_t msr : {0x250u, 0x258u, 0x259u, 0x268u, 0x26fu}) {
      CHECK(mtrrs.write(msr, all_bytes(type)));
    }
  }
}

TEST_CASE("while they are off all is uncached, and of one type") {
  GuestMtrrs mtrrs = with_default(kWriteBack | kFixedOn);
  set(mtrrs, 0, 0, 0x1000, 4);
  CHECK(type_at(mtrrs, 0) == Type::kUncached);
  CHECK(is_uniform(mtrrs, 0, 0x200000));
  CHECK(mtrrs.range_of(0x200).empty());
  CHECK(mtrrs.range_of(0x250).empty());
  CHECK(text(mtrrs.range_of(kDefault)) == text({{0}, {mmu::bit(kWidth - 12)}}));
}

TEST_CASE("a range is its mask's, and the rest has the default type") {
  GuestMtrrs mtrrs = with_default(kWriteBack | kOn);
  set(mtrrs, 7, 0x40000000, 0x1000, 0);
  CHECK(type_at(mtrrs, 0x3ffff000) == Type::kWriteBack);
  CHECK(type_at(mtrrs, 0x40000000) == Type::kUncached);
  CHECK(type_at(mtrrs, 0x40001000) == Type::kWriteBack);
  CHECK(text(mtrrs.range_of(0x20e)) == text({{0x40000}, {0x40001}}));
  CHECK(text(mtrrs.range_of(0x20f)) == text({{0x40000}, {0x40001}}));
}

TEST_CASE("a pair whose mask is not valid is no range") {
  GuestMtrrs mtrrs = with_default(kWriteBack | kOn);
  CHECK(mtrrs.write(0x200, 0));
  CHECK(mtrrs.write(0x201, mmu::bit(kWidth) - 0x1000));
  CHECK(type_at(mtrrs, 0) == Type::kWriteBack);
}

TEST_CASE("the first MiB has fixed ranges of 64K, 16K and 4K, when on") {
  GuestMtrrs mtrrs = with_default(kWriteBack | kOn);
  CHECK(mtrrs.write(0x250, 0x0000000000000100));  // 64K at 64K
  CHECK(mtrrs.write(0x259, 0x0400000000000000));  // the last 16K below 768K
  CHECK(mtrrs.write(0x26f, 0x0500000000000000));  // the last 4K of the MiB
  CHECK(type_at(mtrrs, 0x10000) == Type::kWriteBack);
  CHECK(mtrrs.write(kDefault, kWriteBack | kOn | kFixedOn));
  CHECK(type_at(mtrrs, 0xf000) == Type::kUncached);
  CHECK(type_at(mtrrs, 0x10000) == Type::kWriteCombining);
  CHECK(type_at(mtrrs, 0x1f000) == Type::kWriteCombining);
  CHECK(type_at(mtrrs, 0x20000) == Type::kUncached);
  CHECK(type_at(mtrrs, 0xbb000) == Type::kUncached);
  CHECK(type_at(mtrrs, 0xbc000) == Type::kWriteThrough);
  CHECK(type_at(mtrrs, 0xff000) == Type::kWriteProtected);
  CHECK(type_at(mtrrs, 0x100000) == Type::kWriteBack);
  CHECK(text(mtrrs.range_of(0x259)) == text({{0xa0}, {0xc0}}));
  CHECK(text(mtrrs.range_of(0x26f)) == text({{0xf8}, {0x100}}));
}

TEST_CASE("where ranges overlap, uncached wins, then write-through") {
  const auto both = [](std::uint64_t a, std::uint64_t b) {
    GuestMtrrs mtrrs = with_default(1 | kOn);
    set(mtrrs, 0, 0, 0x2000, a);
    set(mtrrs, 1, 0, 0x1000, b);
    return type_at(mtrrs, 0);
  };
  for (const auto& [a, b, type] :
       {std::tuple{0, 6, Type::kUncached}, std::tuple{6, 0, Type::kUncached},
        std::tuple{4, 6, Type::kWriteThrough},
        std::tuple{6, 4, Type::kWriteThrough},
        std::tuple{5, 5, Type::kWriteProtected},
        std::tuple{1, 4, Type::kWriteBack}}) {
    CHECK(both(a, b) == type);
  }
}

TEST_CASE("frames are of one type if all ranges that meet them are") {
  GuestMtrrs mtrrs = with_default(kWriteBack | kOn);
  CHECK(is_uniform(mtrrs, 0, 0x200000));
  // One page of another type in the middle of 2M.
  set(mtrrs, 0, 0x40100000, 0x1000, 0);
  CHECK(!is_uniform(mtrrs, 0x40000000, 0x40200000));
  CHECK(is_uniform(mtrrs, 0x40200000, 0x40400000));
  CHECK(is_uniform(mtrrs, 0x3fe00000, 0x40000000));
  CHECK(!is_uniform(mtrrs, 0x40000000, 0x80000000));
  // Partly covered, with the default's own type.
  set(mtrrs, 0, 0x40100000, 0x1000, 6);
  CHECK(is_uniform(mtrrs, 0x40000000, 0x40200000));
  // Wholly covered, with another.
  set(mtrrs, 0, 0x40000000, 0x200000, 4);
  CHECK(is_uniform(mtrrs, 0x40000000, 0x40200000));
  CHECK(!is_uniform(mtrrs, 0x40000000, 0x80000000));
  // By two halves, and with a hole between two.
  set(mtrrs, 0, 0x40000000, 0x100000, 4);
  set(mtrrs, 1, 0x40100000, 0x100000, 4);
  CHECK(is_uniform(mtrrs, 0x40000000, 0x40200000));
  set(mtrrs, 1, 0x40180000, 0x80000, 4);
  CHECK(!is_uniform(mtrrs, 0x40000000, 0x40200000));
}

TEST_CASE("fixed ranges make 2M mixed, unless all of it has one type") {
  GuestMtrrs mtrrs = with_default(kWriteBack | kOn | kFixedOn);
  CHECK(!is_uniform(mtrrs, 0, 0x200000));
  for (const std::uint32_t msr :
       {0x250u, 0x258u, 0x259u, 0x268u, 0x269u, 0x26au, 0x26bu, 0x26cu, 0x26du,
        0x26eu, 0x26fu}) {
    CHECK(mtrrs.write(msr, all_bytes(6)));
  }
  CHECK(is_uniform(mtrrs, 0, 0x200000));
  CHECK(mtrrs.write(0x268, all_bytes(6) ^ 2));
  CHECK(!is_uniform(mtrrs, 0, 0x200000));
  CHECK(is_uniform(mtrrs, 0x200000, 0x400000));
}

// What a page says by itself. The types of the ranges that it is in, one by
// one, are all that is asked; none of it knows of stretches.
TEST_CASE("ranges that do not overlap share a huge page if all pages agree") {
  std::mt19937_64 random(20'261'122);
  constexpr std::uint64_t kTypes[] = {0, 1, 4, 5, 6};
  unsigned agreed = 0;
  for (unsigned trial = 0; trial < 4000; ++trial) {
    GuestMtrrs mtrrs = with_default(kTypes[random() % 5] | kOn);
    // Two types at most, or nothing would ever agree.
    const std::uint64_t types[] = {kTypes[random() % 5], kTypes[random() % 5]};
    for (unsigned n = 0; n < 8; ++n) {
      if (random() % 2 == 0) continue;
      // Eight pages each, in a window of sixty-four: none meets another.
      const std::uint64_t bytes = 0x1000u << random() % 4;
      const std::uint64_t start =
          0x200000 + n * 0x8000 + random() % (0x8000 / bytes) * bytes;
      set(mtrrs, n, start, bytes, types[random() % 2]);
    }
    const std::uint64_t from = 0x200000 + random() % 64 * 0x1000;
    const std::uint64_t to =
        from + (1 + random() % ((0x240000 - from) / 0x1000)) * 0x1000;
    bool agree = true;
    for (std::uint64_t at = from; at < to; at += 0x1000) {
      agree &= type_at(mtrrs, at) == type_at(mtrrs, from);
    }
    CAPTURE(trial);
    CHECK(is_uniform(mtrrs, from, to) == agree);
    agreed += agree;
  }
  CHECK(agreed > 200);
  CHECK(agreed < 3800);
}

TEST_CASE("frames of one type, whatever overlaps, agree page by page") {
  std::mt19937_64 random(47);
  constexpr std::uint64_t kTypes[] = {0, 1, 4, 5, 6};
  unsigned agreed = 0;
  for (unsigned trial = 0; trial < 4000; ++trial) {
    GuestMtrrs mtrrs =
        with_default(kTypes[random() % 5] | kOn | (trial % 2 ? kFixedOn : 0));
    for (unsigned n = 0; n < 8; ++n) {
      if (random() % 3 != 0) continue;
      const std::uint64_t bytes = 0x1000u << random() % 10;
      const std::uint64_t start =
          0xe0000 / bytes * bytes + random() % 8 * bytes;
      set(mtrrs, n, start, bytes, kTypes[random() % 5]);
    }
    for (std::uint32_t msr = 0x268; msr < 0x270; ++msr) {
      CHECK(mtrrs.write(msr, all_bytes(kTypes[random() % 5])));
    }
    const std::uint64_t from = 0xe0000 + random() % 64 * 0x1000;
    const std::uint64_t to = from + (1 + random() % 16) * 0x1000;
    if (!is_uniform(mtrrs, from, to)) continue;
    ++agreed;
    CAPTURE(trial);
    for (std::uint64_t at = from; at < to; at += 0x1000) {
      CHECK(type_at(mtrrs, at) == type_at(mtrrs, from));
    }
  }
  CHECK(agreed > 200);
}
