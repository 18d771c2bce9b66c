// The slot of a frame by the index, beside a look at every slot.
#include "core/slot_index.hpp"

#include <random>

#include "core/memslot.hpp"
#include "world.hpp"

namespace {

using mmu::Gfn;
using mmu::Memslot;
using mmu::MemslotSet;

const Memslot* look_at_each(const MemslotSet& set, Gfn gfn) {
  for (const auto& slot : set.slots()) {
    if (slot->range.contains(gfn)) return slot.get();
  }
  return nullptr;
}

void check_around(const MemslotSet& set, std::uint64_t frame) {
  const std::uint64_t top = mmu::bit(40);
  for (const std::uint64_t at : {frame - 1, frame, frame + 1}) {
    if (at >= top) continue;
    CAPTURE(at);
    REQUIRE(set.find({at}) == look_at_each(set, {at}));
  }
}

void check(const MemslotSet& set, std::mt19937_64& random) {
  for (const auto& slot : set.slots()) {
    check_around(set, slot->range.start.value);
    check_around(set, slot->range.end.value);
    check_around(set, slot->range.start.value + random() % slot->range.size());
  }
  for (unsigned shift = 0; shift < 41; ++shift) {
    check_around(set, mmu::bit(shift));
  }
}

// Crowds, gaps of every width, neighbours without a gap; sometimes one at the
// top of the 52-bit space.
MemslotSet random_set(std::mt19937_64& random) {
  MemslotSet set(0, 1, 19);
  const std::size_t count = 1 + random() % (random() % 4 == 0 ? 200 : 12);
  set.reserve(count + 1, static_cast<std::uint32_t>(count + 1));
  std::uint64_t at = random() % 3 == 0 ? 0 : random() % mmu::bit(20);
  const auto add = [&](std::uint64_t start, std::uint64_t frames) {
    auto slot = std::make_unique<Memslot>();
    slot->id = static_cast<std::uint32_t>(set.slots().size());
    slot->range = {{start}, {start + frames}};
    set.insert(std::move(slot));
  };
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t frames = 1 + random() % mmu::bit(random() % 18);
    add(at, frames);
    at += frames + (random() % 2 == 0 ? 0 : random() % mmu::bit(random() % 24));
  }
  if (random() % 3 == 0) add(mmu::bit(40) - 3, 3);
  return set;
}

}  // namespace

TEST_CASE("the index finds the slot that a look at every slot finds") {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    MemslotSet set = random_set(random);
    check(set, random);
    // Slots that go leave it true, before it is built again and after.
    for (int i = 0; i < 3 && !set.slots().empty(); ++i) {
      set.take(set.slots()[random() % set.slots().size()].get());
      check(set, random);
    }
  }
}

TEST_CASE("a set that nobody made room for is searched all the same") {
  MemslotSet set(0, 1, 19);
  for (std::uint64_t i = 0; i < 20; ++i) {
    auto slot = std::make_unique<Memslot>();
    slot->id = static_cast<std::uint32_t>(i);
    slot->range = {{i * 10}, {i * 10 + 5}};
    set.insert(std::move(slot));
  }
  std::mt19937_64 random(1);
  check(set, random);
}
