// The leaves of a table changed at once, beside one after the other.
#include "core/leaf_run.hpp"

#include <array>
#include <cstdlib>
#include <random>

#include "world.hpp"

namespace {

using Words = std::array<std::uint64_t, mmu::kEntries>;
namespace ept = mmu::ept;

// Leaves that grant much and little, aged ones, ones that somebody else's bit
// marks, entries of holes, nothing.
std::uint64_t random_word(std::mt19937_64& random) {
  const mmu::Pfn pfn{random() % mmu::bit(20)};
  const mmu::Spte plain = mmu::make_leaf(pfn, mmu::Level::k4K, true);
  switch (random() % 7) {
    case 0:
      return 0;
    case 1:
      return mmu::to_stored(mmu::make_mmio({pfn.value}, 3));
    case 2:
      return mmu::to_stored(plain.without(ept::kWrite));
    case 3:
      return mmu::to_stored(mmu::mark_unused(
          mmu::build_leaf({pfn}, {.ad_type = ept::kAdDisabled})));
    case 4:
      return mmu::to_stored(plain.with(mmu::bit(50)));
    default:
      return mmu::to_stored(plain);
  }
}

template <class Change>
mmu::LeafRun change_one_by_one(Words& words, unsigned from, unsigned end,
                               Change change) {
  mmu::LeafRun run;
  for (unsigned i = from; i < end; ++i) {
    if (!change.takes(words[i])) continue;
    run.first = std::min(run.first, i);
    run.last = i;
    const std::uint64_t now = change.now(words[i]);
    run.changed += now != words[i];
    words[i] = now;
  }
  return run;
}

template <class Change>
void compare(std::mt19937_64& random, Change change, mmu::VectorPath path) {
  Words at_once;
  const unsigned density = 1 + random() % 60;
  for (std::uint64_t& word : at_once) {
    word = random() % density == 0 ? random_word(random) : 0;
  }
  Words expected = at_once;
  const auto from = static_cast<unsigned>(random() % mmu::kEntries);
  const auto end =
      static_cast<unsigned>(from + 1 + random() % (mmu::kEntries - from));
  const mmu::LeafRun wanted = change_one_by_one(expected, from, end, change);
  const mmu::LeafRun run =
      mmu::change_leaves(at_once.data(), from, end, change, path);
  REQUIRE(at_once == expected);
  REQUIRE(run.changed == wanted.changed);
  REQUIRE(run.first == wanted.first);
  REQUIRE(run.last == wanted.last);
}

}  // namespace

TEST_CASE("leaves changed at once are what they are one after the other") {
  for (const char* name : {"avx512", "avx2", "portable"}) {
    setenv("GPALIAS_REPLAY_PATH", name, 1);
    const mmu::VectorPath path = mmu::chosen_vector_path();
    CAPTURE(mmu::name_of(path));
    for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
      CAPTURE(seed);
      std::mt19937_64 random(seed);
      compare(random, mmu::ZapLeaf(), path);
      compare(random, mmu::TakeBits(ept::kWrite, 0), path);
      compare(random, mmu::TakeBits(ept::kDirty, mmu::bit(50)), path);
      compare(random, mmu::TakeBits(ept::kWrite | ept::kMmuWritable, 0), path);
    }
  }
  unsetenv("GPALIAS_REPLAY_PATH");
}

TEST_CASE("a zap of a range in full tables leaves what lies beside it") {
  const auto vm = world::vm();
  world::add(*vm, {.bytes = 8 * world::kMiB});
  for (std::uint64_t page = 0; page < 2048; ++page) {
    world::access(*vm, page * mmu::kPageSize);
  }
  const mmu::Outcome zapped = world::operate(
      *vm, mmu::EventKind::kZap, 3 * mmu::kPageSize, 1500 * mmu::kPageSize);
  CHECK(zapped.sptes_changed == 1500);
  CHECK(world::leaves_by_level(*vm)[1] == 548);
  world::check_accounts(*vm);
  CHECK(world::access(*vm, 2 * mmu::kPageSize).code == mmu::OutcomeCode::kHit);
  CHECK(world::access(*vm, 3 * mmu::kPageSize).code ==
        mmu::OutcomeCode::kFixed);
  CHECK(world::access(*vm, 1502 * mmu::kPageSize).code ==
        mmu::OutcomeCode::kFixed);
  CHECK(world::access(*vm, 1503 * mmu::kPageSize).code ==
        mmu::OutcomeCode::kHit);
}
