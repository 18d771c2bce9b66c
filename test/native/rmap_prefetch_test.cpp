// What the legacy MMU maps beside a fault: the aligned group of eight, run by
// run, until a run cannot be had whole.
#include "alias_world.hpp"

using mmu::Flavour;
using mmu::Outcome;
using mmu::OutcomeCode;
using world::kBit;
using world::kPage;
using world::Setup;
using world::Slot;

namespace {

constexpr std::uint32_t kReadonly = mmu::MemslotRegion::kReadonly;
constexpr std::uint32_t kLogDirty = mmu::MemslotRegion::kLogDirty;
constexpr std::uint64_t kAccessed = mmu::bit(8);

using Vm = std::unique_ptr<mmu::Machine>;

Vm legacy(std::string_view strategy = "none", std::string_view preset = "none",
          std::string_view provider = "none") {
  return world::vm(Setup{strategy, Flavour::kRmap, preset, provider});
}

// In pages.
Slot pages(std::uint32_t id, std::uint64_t first, std::uint64_t count,
           std::uint32_t flags = 0) {
  return {
      .id = id, .gpa = first * kPage, .bytes = count * kPage, .flags = flags};
}

Outcome read_page(mmu::Machine& machine, std::uint64_t page) {
  return world::access(machine, page * kPage, mmu::kAccessRead);
}

// Pages 8 to 15 of an alias that are mapped, as a picture: '#' for one that
// was asked for, '+' for one that was prefetched.
std::string group_of_8(const mmu::Machine& machine, std::uint64_t alias = 0) {
  std::string picture;
  for (std::uint64_t page = 8; page < 16; ++page) {
    const std::uint64_t gpa = page * kPage | alias;
    const bool used = (world::entry_at(machine, gpa) & kAccessed) != 0;
    picture += !world::is_mapped(machine, gpa) ? '.' : used ? '#' : '+';
  }
  return picture;
}

// One fault, from empty tables, in a world of these slots.
struct Row {
  const char* claim;
  std::vector<Slot> slots;
  std::uint64_t page;
  const char* picture;
};

}  // namespace

TEST_CASE("a fault maps its aligned group of eight") {
  const Vm machine = legacy();
  world::add(*machine, pages(0, 0, 64));
  const Outcome outcome = world::access(*machine, 10 * kPage);
  // Three links, the leaf, seven beside it.
  CHECK(outcome.sptes_changed == 11);
  CHECK(outcome.code == OutcomeCode::kFixed);
  CHECK(group_of_8(*machine) == "++#+++++");
  CHECK(!world::is_mapped(*machine, 7 * kPage));
  CHECK(!world::is_mapped(*machine, 16 * kPage));
  // As a fault's own leaf, but not accessed.
  CHECK(world::entry_at(*machine, 9 * kPage) ==
        ((world::entry_at(*machine, 10 * kPage) & ~kAccessed) - kPage));
  CHECK(world::rmap_count(*machine, 9 * kPage) == 1);
  CHECK(world::access(*machine, 9 * kPage).code == OutcomeCode::kHit);
  CHECK(group_of_8(*machine) == "+##+++++");
}

TEST_CASE("a run that leaves its slot ends the prefetch") {
  const Row rows[] = {
      {"the slot ends within the last run", {pages(0, 0, 14)}, 10, "++#....."},
      {"the last run is in no slot", {pages(0, 0, 14)}, 13, "+++++#.."},
      {"the first run is in no slot", {pages(0, 10, 6)}, 12, "....#..."},
      {"the slot starts at the fault", {pages(0, 10, 6)}, 10, "..#....."},
      {"the second run crosses slots",
       {pages(0, 8, 4), pages(1, 12, 4)},
       9,
       "+#......"},
      {"the first run crosses slots",
       {pages(0, 8, 4), pages(1, 12, 4)},
       13,
       ".....#.."},
      {"a neighbour is read-only",
       {pages(0, 8, 4, kReadonly), pages(1, 12, 4)},
       12,
       "....#..."},
      {"a later neighbour is read-only",
       {pages(0, 8, 4), pages(1, 12, 4, kReadonly)},
       11,
       "+++#...."},
      {"the slot itself is read-only",
       {pages(0, 8, 8, kReadonly)},
       9,
       ".#......"},
      {"the slot is logged", {pages(0, 8, 8, kLogDirty)}, 9, ".#......"},
      {"a neighbour is logged",
       {pages(0, 8, 4), pages(1, 12, 4, kLogDirty)},
       11,
       "+++#...."},
      {"a logged slot's fault prefetches in its neighbour",
       {pages(0, 8, 4), pages(1, 12, 4, kLogDirty)},
       12,
       "++++#..."},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(row.claim));
    const Vm machine = legacy();
    for (const Slot& slot : row.slots) world::add(*machine, slot);
    read_page(*machine, row.page);
    CHECK(group_of_8(*machine) == row.picture);
    world::check_accounts(*machine);
  }
}

TEST_CASE("what is present ends a run and starts the next") {
  const Vm machine = legacy();
  world::add(*machine, pages(0, 0, 64));
  world::access(*machine, 9 * kPage);
  world::zap(*machine, 8 * kPage);
  world::zap(*machine, 11 * kPage, 2 * kPage);
  CHECK(group_of_8(*machine) == ".#+..+++");
  CHECK(world::access(*machine, 12 * kPage).sptes_changed == 3);
  CHECK(group_of_8(*machine) == "+#++#+++");
}

TEST_CASE("an MMIO entry is no obstacle, and its fault prefetches too") {
  const Vm machine = legacy();
  world::add(*machine, pages(0, 8, 2));
  const Outcome hole = world::access(*machine, 10 * kPage);
  CHECK(hole.code == OutcomeCode::kEmulate);
  // Three links, the MMIO entry, and the two pages before it.
  CHECK(hole.sptes_changed == 6);
  CHECK(group_of_8(*machine) == "++......");
  world::add(*machine, pages(1, 10, 6));
  world::access(*machine, 15 * kPage);
  CHECK(group_of_8(*machine) == "+++++++#");
  CHECK(machine->leaves(true).size() == 8);
  world::check_accounts(*machine);
}

TEST_CASE("a leaf that is there already prefetches nothing") {
  const Vm machine = legacy("v5-as-posted", "bits:47");
  world::add(*machine, pages(0, 0, 64));
  world::access(*machine, 10 * kPage);
  world::zap(*machine, 8 * kPage);
  const Outcome outcome = world::access(*machine, (10 * kPage) | kBit);
  CHECK(outcome.code == OutcomeCode::kSpurious);
  CHECK(outcome.sptes_changed == 1);
  CHECK(group_of_8(*machine) == ".+#+++++");
}

TEST_CASE("a huge leaf has no neighbours") {
  const Vm machine = legacy();
  world::add(*machine, {.bytes = 8 * world::kMiB, .backing = 2});
  CHECK(world::access(*machine, 0).sptes_changed == 3);
  CHECK(machine->leaves(false).size() == 1);
}

TEST_CASE("an alias prefetches its own frames with its own rights") {
  const Vm machine = legacy("stolen-bits", "xo:47");
  world::add(*machine, pages(0, 0, 64));
  world::fetch(*machine, (10 * kPage) | kBit);
  CHECK(group_of_8(*machine, kBit) == "++#+++++");
  for (std::uint64_t page = 8; page < 16; ++page) {
    const std::uint64_t spte = world::entry_at(*machine, page * kPage | kBit);
    CHECK((spte & 7) == mmu::kAccessFetch);
    CHECK((spte & mmu::bit(9)) == 0);
    CHECK(world::rmap_count(*machine, page * kPage) == 1);
  }
  // KVM's own slots are not an alias' to prefetch.
  mmu::MachineConfig config =
      Setup{"stolen-bits", Flavour::kRmap, "bits:47"}.config();
  config.internal_slots = true;
  const Vm own = world::vm(config);
  world::add(*own, {.gpa = 0xfeff8000, .bytes = 4 * kPage});
  world::access(*own, 0xfeffb000 | kBit);
  CHECK(own->leaves(false).size() == 4);
  // Alias 0 sees them: the TSS fills the last run.
  world::access(*own, 0xfeffc000);
  CHECK(own->leaves(false).size() == 12);
  CHECK(world::is_mapped(*own, 0xfeffd000));
}

TEST_CASE("a private fault prefetches nothing, a shared one what is shared") {
  const Vm apart = legacy("stolen-bits", "tdx47");
  world::add(*apart, pages(0, 0, 64));
  world::access(*apart, 10 * kPage);
  CHECK(apart->leaves(false).size() == 1);
  world::access(*apart, (10 * kPage) | kBit);
  CHECK(group_of_8(*apart, kBit) == "++#+++++");

  const Vm exact = legacy("precise", "tdx47");
  world::add(*exact, pages(0, 0, 64));
  world::share(*exact, 8 * kPage, 8 * kPage);
  world::convert(*exact, 11 * kPage, kPage, true);
  world::access(*exact, (9 * kPage) | kBit);
  CHECK(group_of_8(*exact, kBit) == "+#+.++++");
}

TEST_CASE("a prefetch never maps a page beside its other alias") {
  for (const bool blocked : {false, true}) {
    CAPTURE(blocked);
    const Vm machine = legacy("stolen-bits-tdx", "tdx47");
    world::add(*machine, pages(0, 0, 64));
    world::share(*machine, 8 * kPage, 8 * kPage);
    world::access(*machine, 11 * kPage);
    if (blocked) world::unmap_host(*machine, 11 * kPage);
    world::access(*machine, (9 * kPage) | kBit);
    CHECK(group_of_8(*machine, kBit) == "+#+.++++");
    CHECK(world::is_mapped(*machine, 11 * kPage) == !blocked);
    CHECK(machine->violations().empty());
  }
}
