#include "core/first_touch.hpp"

#include <random>

#include "core/fault.hpp"
#include "core/memslot_ops.hpp"
#include "core/query.hpp"
#include "world.hpp"

namespace {

using mmu::Gfn;
using mmu::Mmu;

mmu::Views identity(mmu::GfnRange range) {
  mmu::Views views;
  views.add(
      {mmu::RootId::kDirect, {{range.start.value}, {range.end.value}}, 0});
  return views;
}

std::unique_ptr<Mmu> make() {
  const mmu::MachineConfig config;
  auto arena = mmu::PagePool::create(world::kMiB * 64);
  REQUIRE(arena);
  auto mmu = std::make_unique<Mmu>(config, std::move(arena.value()));
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
    REQUIRE(mmu::set_memslot(*mmu, identity, slot.region()));
  }
  return mmu;
}

std::vector<std::uint64_t> dump(const Mmu& mmu) {
  std::vector<mmu::LeafView> leaves;
  mmu::append_leaves(leaves, mmu, mmu::whole_space(mmu.config), true);
  std::vector<std::uint64_t> words;
  for (const mmu::LeafView& leaf : leaves) {
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
  mmu::Fault fault{.gfn = gfn, .walk_gfn = {gfn.value}, .access = access};
  fault.reserved = mmu::HardwareWalk::is_misconfigured(word);
  fault.present = !fault.reserved && (word & mmu::ept::kPermissions) != 0;
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
      const mmu::HardwareWalk walk(with->tree);
      const auto at = walk.walk_ahead(issued);
      const std::uint64_t word = *walk.last(at, issued);
      if (mmu::HardwareWalk::allows(word, access)) continue;
      const bool short_path =
          word == 0 && mmu::map_first_touch(*with, at, gfn, access, 0);
      answered += short_path;
      declined += !short_path;
      if (!short_path) slow(*with, gfn, access, word);
      slow(*without, gfn, access, word);
    }
    REQUIRE(dump(*with) == dump(*without));
  }
  CHECK(answered > 3000);
  CHECK(declined > 1000);
}
