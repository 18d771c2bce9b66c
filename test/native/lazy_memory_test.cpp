// Memory that machines made one after the other share: as good as new.
#include "core/lazy_memory.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

#include "small_world.hpp"

using mmu::KeptMemory;
using mmu::LazyMemory;

namespace {

std::span<std::uint8_t> bytes_of(const LazyMemory& memory) {
  return {static_cast<std::uint8_t*>(memory.start()), memory.bytes()};
}

bool is_zero(const LazyMemory& memory) {
  return std::ranges::all_of(bytes_of(memory),
                             [](std::uint8_t byte) { return byte == 0; });
}

LazyMemory reserve(std::uint64_t bytes) {
  auto memory = LazyMemory::create(bytes, 1);
  REQUIRE(memory);
  return std::move(memory.value());
}

}  // namespace

TEST_CASE("memory that was kept comes back clear and backed") {
  const KeptMemory kept;
  void* first = nullptr;
  {
    const LazyMemory memory = reserve(12'345);
    CHECK(!memory.is_backed());
    first = memory.start();
    std::ranges::fill(bytes_of(memory), 0xee);
  }
  const LazyMemory other = reserve(12'346);
  CHECK(other.start() != first);
  const LazyMemory again = reserve(12'345);
  CHECK(again.start() == first);
  CHECK(again.is_backed());
  CHECK(is_zero(again));
}

TEST_CASE("only what its last owner touched is cleared, and none too large") {
  const KeptMemory kept;
  const std::size_t large = KeptMemory::kMostBytes + 1;
  LazyMemory memory = reserve(large);
  std::ranges::fill(bytes_of(memory).first(100), 0xee);
  void* const first = memory.start();
  memory.give_back(100);
  CHECK(memory.start() == nullptr);
  {
    const LazyMemory again = reserve(large);
    CHECK(again.start() == first);
    CHECK(is_zero(again));
  }
  // Given back without a word on what was touched: more than is ever cleared.
  CHECK(!reserve(large).is_backed());
}

TEST_CASE("nothing is kept when nobody keeps") {
  {
    const LazyMemory memory = reserve(4096);
  }
  CHECK(!reserve(4096).is_backed());
  {
    const KeptMemory kept;
  }
  CHECK(!reserve(4096).is_backed());
}

TEST_CASE("a machine made of kept memory lives as one made of new memory") {
  for (const mmu::Flavour mmu : {mmu::Flavour::kTdp, mmu::Flavour::kRmap}) {
    const auto small = world::small_world({.strategy = "precise", .mmu = mmu});
    const auto every = static_cast<std::uint8_t>(small.operations.size());
    const auto after = [&](std::uint8_t first, std::uint8_t second) {
      const std::uint8_t path[] = {first, second};
      return mmu::check::live(small, path).value()->fingerprint();
    };
    for (std::uint8_t first = 0; first < every; ++first) {
      const auto second = static_cast<std::uint8_t>((first * 7 + 3) % every);
      const mmu::Fingerprint fresh = after(first, second);
      const KeptMemory kept;
      after(second, first);
      CHECK(after(first, second) == fresh);
    }
  }
}
