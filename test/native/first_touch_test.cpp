#include "core/first_touch.hpp"

#include <random>

#include "core/fault.hpp"
#include "core/memslot_ops.hpp"
#include "core/query.hpp"
#include "core/statistics.hpp"
#include "world.hpp"

namespace {

using mmu::Gfn;
using mmu::Mmu;

// A VM whose strategy has no aliases.
struct Plain {
  std::unique_ptr<mmu::Alias> alias;
  std::unique_ptr<Mmu> mmu;
};

Plain make() {
  auto setup = mmu::check_config({});
  auto arena = mmu::PagePool::create(world::kMiB * 64);
  REQUIRE(setup);
  REQUIRE(arena);
  Plain made;
  made.alias =
      mmu::find_alias("none")->answers(setup.value().space, mmu::Flavour::kTdp);
  made.mmu = std::make_unique<Mmu>(std::move(setup.value()), *made.alias,
                                   std::move(arena.value()));
  const world::Slot slots[] = {
      {.id = 0, .bytes = 3 * world::kMiB},
      {.id = 1,
       .gpa = 3 * world::kMiB,
       .bytes = world::kMiB,
       .flags = mmu::MemslotRegion::kReadonly},
      {.id = 2,
       .gpa = 4 * world::kMiB,
       .bytes = world::kMiB,
       .flags = mmu::MemslotRegion::kLogDirty},
      {.id = 3, .gpa = 6 * world::kMiB, .bytes = 4 * world::kMiB, .backing = 2},
  };
  for (const world::Slot& slot : slots) {
    REQUIRE(mmu::set_memslot(*made.mmu, slot.region()));
  }
  return made;
}

std::vector<std::uint64_t> dump(const Mmu& mmu) {
  std::vector<std::uint64_t> words;
  for (const mmu::LeafView& leaf : mmu::list_leaves(mmu, true)) {
    words.insert(words.end(), {leaf.gpa, leaf.spte, leaf.level});
  }
  for (const mmu::NamedCount& count : mmu::list_stats(mmu)) {
    words.push_back(count.value);
  }
  for (const mmu::MemslotView& slot : mmu::list_memslots(mmu)) {
    words.push_back(slot.dirty_pages);
  }
  words.push_back(mmu.accounts.changed);
  return words;
}

void slow(Mmu& mmu, Gfn gfn, std::uint8_t access, std::uint64_t word) {
  mmu::Fault fault = mmu::make_fault(mmu.alias, {gfn.value}, access, 0, word);
  mmu::handle_fault(mmu, fault);
}

}  // namespace

TEST_CASE("where the short path answers, it leaves what the long one leaves") {
  int answered = 0;
  int declined = 0;
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto with = make();
    const auto without = make();
    for (int i = 0; i < 800; ++i) {
      const Gfn gfn{random() % (11 * 256)};
      const auto access = static_cast<std::uint8_t>(random() % 7 + 1);
      const mmu::AliasedGfn issued{gfn.value};
      const mmu::HardwareWalk walk(with.mmu->tree(mmu::RootId::kDirect));
      const auto at = walk.walk_ahead(issued);
      const std::uint64_t word = *walk.last(at, issued);
      if (mmu::HardwareWalk::allows(word, access)) continue;
      const bool short_path =
          word == 0 &&
          mmu::map_first_touch(*with.mmu, at, issued, gfn, access, 0);
      answered += short_path;
      declined += !short_path;
      if (!short_path) slow(*with.mmu, gfn, access, word);
      slow(*without.mmu, gfn, access, word);
    }
    REQUIRE(dump(*with.mmu) == dump(*without.mmu));
  }
  CHECK(answered > 3000);
  CHECK(declined > 1000);
}
