// What keeps huge pages out of a slot, against worked values and against what
// faults come to.
#include "alias_world.hpp"

using mmu::MemslotRegion;
using world::kGiB;
using world::kMiB;
using world::kPage;
using world::Setup;
using Words = std::vector<std::uint32_t>;

namespace {

constexpr std::uint32_t kMixed = std::uint32_t{1} << 31;

MemslotRegion region_of(std::uint64_t base, std::uint64_t pages,
                        std::uint64_t hva) {
  return {
      .gpa = base * kPage, .bytes = pages * kPage, .hva = hva, .backing = 3};
}

}  // namespace

TEST_CASE("A8: the first and last pages, or all of them, speak against") {
  struct Row {
    std::uint64_t base;
    std::uint64_t pages;
    std::uint64_t hva;
    Words of_2m;
    Words of_1g;
  };
  const Row rows[] = {
      {0x0, 0xa0, 0x7f0000000000, {1}, {1}},
      {0x100, 0x1000, 0x7f0000100000, {1, 0, 0, 0, 0, 0, 0, 0, 1}, {1}},
      {0x100, 0x1000, 0x7f0000000000, Words(9, 1), {1}},
      {0x200, 0x400, 0x7f0000200000, {0, 0}, {1}},
      {0x200, 0x400, 0x7f0000201000, {1, 1}, {1}},
      {0x100000, 0x40000, 0x7f0040000000, Words(512), {0}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.base);
    CAPTURE(row.hva);
    const auto machine = world::vm();
    REQUIRE(machine->set_memslot(region_of(row.base, row.pages, row.hva)));
    CHECK(machine->lpage_info(0, 2) == row.of_2m);
    CHECK(machine->lpage_info(0, 3) == row.of_1g);
  }
}

TEST_CASE("a page that is private in parts alone is marked as mixed") {
  const auto machine = world::vm(Setup{"precise", mmu::Flavour::kTdp, "tdx47"});
  world::add(*machine, {.gpa = 2 * kMiB, .bytes = 6 * kMiB, .backing = 2});
  CHECK(machine->lpage_info(0, 2) == Words{0, 0, 0});
  world::share(*machine, 4 * kMiB, 3 * kMiB);
  CHECK(machine->lpage_info(0, 2) == Words{0, 0, kMixed});
  // Not in the slot whole: refused by its shape alone.
  CHECK(machine->lpage_info(0, 3) == Words{1});
}

TEST_CASE("faults map huge pages where nothing speaks against one") {
  for (const auto& [skew, watched] :
       {std::pair{std::uint64_t{0}, false}, std::pair{std::uint64_t{0}, true},
        std::pair{kPage, false}, std::pair{2 * kMiB, true}}) {
    const auto machine = world::vm();
    MemslotRegion region = region_of(0x3ff00, 0x40300, world::kHvaBase);
    region.hva += region.gpa + skew;
    REQUIRE(machine->set_memslot(region));
    if (watched) {
      world::operate(*machine, mmu::EventKind::kWriteTrackAdd, kGiB + 6 * kMiB,
                     kPage);
    }
    const Words of_2m = machine->lpage_info(0, 2).value();
    const Words of_1g = machine->lpage_info(0, 3).value();
    const std::uint64_t first = region.gpa / (2 * kMiB);
    for (std::uint64_t page = 0; page < of_2m.size(); ++page) {
      CAPTURE(page);
      const std::uint64_t gpa = std::max(region.gpa, (first + page) * 2 * kMiB);
      const unsigned largest = of_1g[gpa / kGiB - region.gpa / kGiB] == 0 ? 3
                               : of_2m[page] == 0                         ? 2
                                                                          : 1;
      world::zap(*machine, 0, 4 * kGiB);
      CHECK(world::access(*machine, gpa, mmu::kAccessRead).level == largest);
    }
  }
}
