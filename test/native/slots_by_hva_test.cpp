// Slots found by the host pages that they stand on, against a look at each.
#include <random>

#include "core/memslot.hpp"
#include "slot_world.hpp"

namespace {

using mmu::HostRange;
using mmu::Memslot;
using mmu::MemslotSet;

constexpr std::uint64_t kFrames = 64;

// Slots of up to 8 pages over 64 pages of the host, so that many overlap there.
std::unique_ptr<Memslot> any_slot(std::mt19937& random, std::uint32_t id) {
  auto slot = std::make_unique<Memslot>();
  slot->id = id;
  const std::uint64_t start = std::uint64_t{id} * 16;
  slot->range = {{start}, {start + 1 + random() % 8}};
  slot->hva = {(random() % kFrames) << mmu::kPageShift};
  return slot;
}

bool stands_on(const Memslot& slot, HostRange pages) {
  const mmu::HostPage first = mmu::page_of(slot.hva);
  return HostRange{first, {first.value + slot.range.size()}}.overlaps(pages);
}

std::vector<const Memslot*> looked_through(const MemslotSet& set,
                                           HostRange pages) {
  std::vector<const Memslot*> found;
  for (const auto& slot : set.slots()) {
    if (stands_on(*slot, pages)) found.push_back(slot.get());
  }
  return found;
}

void check_every_range(const MemslotSet& set) {
  for (std::uint64_t first = 0; first < kFrames + 10; ++first) {
    for (const std::uint64_t size : {1, 3, 40}) {
      const HostRange pages{{first}, {first + size}};
      const auto found = set.on(pages);
      const std::vector<const Memslot*> got(found.begin(), found.end());
      REQUIRE(got == looked_through(set, pages));
    }
  }
  CHECK(set.on({{5}, {5}}).empty());
}

}  // namespace

TEST_CASE(
    "the slots on a range of the host are all that stand there, in order") {
  constexpr unsigned kSeed = 1;
  CAPTURE(kSeed);
  std::mt19937 random(kSeed);
  MemslotSet set(0, 1, 8);
  std::vector<Memslot*> present;
  for (std::uint32_t id = 0; id < 300; ++id) {
    if (random() % 3 == 0 && !present.empty()) {
      const std::size_t at = random() % present.size();
      set.take(present[at]);
      present.erase(present.begin() + static_cast<std::ptrdiff_t>(at));
    }
    auto slot = any_slot(random, id);
    present.push_back(slot.get());
    set.reserve(1, id);
    set.insert(std::move(slot));
    if (id % 10 == 0) check_every_range(set);
  }
  check_every_range(set);
}

TEST_CASE("the slots that a range of frames meets are those that overlap it") {
  std::mt19937 random(2);
  MemslotSet set(0, 1, 8);
  for (std::uint32_t id = 0; id < 20; ++id) {
    set.reserve(1, 19 - id);
    set.insert(any_slot(random, 19 - id));
  }
  for (std::uint64_t first = 0; first < 330; ++first) {
    for (const std::uint64_t size : {1, 7, 40, 1000}) {
      const mmu::GfnRange range{{first}, {first + size}};
      std::vector<const Memslot*> wanted;
      for (const auto& slot : set.slots()) {
        if (slot->range.overlaps(range)) wanted.push_back(slot.get());
      }
      std::vector<const Memslot*> met;
      for (const auto& slot : set.meeting(range)) met.push_back(slot.get());
      REQUIRE(met == wanted);
      const auto by_id = set.in_id_order(range);
      REQUIRE(std::vector<const Memslot*>(by_id.begin(), by_id.end()) ==
              wanted);
    }
  }
}
