// The legacy MMU's books: what its counters, its list of shadow pages and its
// reverse maps say against what hardware can find.
#include <random>

#include "alias_world.hpp"

using mmu::EventKind;
using mmu::Flavour;
using world::kBit;
using world::kPage;
using world::Setup;

namespace {

constexpr std::uint64_t kPages = 532;  // 2 MiB and a bit

// Every shadow page is listed once, the list agrees with the counters, and
// every reverse map has as many leaves as hardware can find.
void check_books(const mmu::Machine& machine) {
  world::check_accounts(machine);
  const mmu::TableCounts counts = machine.tables();
  for (unsigned level = 1; level <= 4; ++level) {
    CAPTURE(level);
    CHECK(world::tables_of(machine, level).size() == counts.by_level[level]);
  }
  for (std::uint64_t page = 0; page < kPages; ++page) {
    CAPTURE(page);
    const auto ways = machine.rmap(page * kPage);
    REQUIRE(ways);
    REQUIRE(world::rmap_count(machine, page * kPage) == ways.value().size());
  }
}

void random_event(mmu::Machine& machine, std::mt19937& random) {
  const std::uint64_t gpa = random() % kPages * kPage;
  switch (random() % 40) {
    case 0:
      world::zap(machine, gpa, std::min(3 * kPage, kPages * kPage - gpa));
      break;
    case 1:
      world::unmap_host(machine, gpa);
      break;
    case 2:
      world::operate(machine, EventKind::kZapAllFast);
      break;
    case 3:
      world::take_log(machine);
      break;
    case 4:
      world::operate(machine, random() % 2 == 0 ? EventKind::kDirtyLogEnable
                                                : EventKind::kDirtyLogDisable);
      break;
    default:
      world::access(machine, gpa | (random() % 2 == 0 ? kBit : 0),
                    static_cast<std::uint8_t>(random() % 7 + 1));
  }
}

}  // namespace

TEST_CASE("in any storm the books agree with what hardware can find") {
  for (const auto& [strategy, preset] :
       {std::pair{"none", "bits:47"}, std::pair{"stolen-bits", "bits:47"},
        std::pair{"precise", "bits:47"}, std::pair{"stolen-bits", "tdx47"},
        std::pair{"precise", "xo:47"}}) {
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
      CAPTURE(std::string(strategy));
      CAPTURE(seed);
      std::mt19937 random(seed);
      const auto machine =
          world::vm(Setup{strategy, Flavour::kRmap, preset, "hyperv"});
      world::add(*machine,
                 {.bytes = kPages * kPage,
                  .backing = static_cast<std::uint8_t>(seed % 2 + 1)});
      for (int i = 0; i < 800; ++i) {
        random_event(*machine, random);
        if (i % 100 == 99) check_books(*machine);
      }
    }
  }
}

TEST_CASE("a page that takes a blocked entry's place is in its own list") {
  const auto machine =
      world::vm(mmu::MachineConfig{.strategy = "stolen-bits-tdx",
                                   .preset = "tdx47",
                                   .mmu = mmu::Flavour::kRmap});
  world::add(*machine, {.bytes = 16 * world::kMiB});
  constexpr std::uint64_t kGpa = 8 * world::kMiB;
  world::access(*machine, kGpa, mmu::kAccessRead);
  world::operate(*machine, mmu::EventKind::kHvaInvalidate,
                 world::kHvaBase + kGpa, 4096);
  const auto moved = machine->set_memslot(
      {.gpa = 4096, .bytes = 16 * world::kMiB, .hva = world::kHvaBase});
  REQUIRE(moved);
  CHECK(machine->rmap_count(kGpa).value() == 0);
  const auto outcome = world::access(*machine, kGpa, mmu::kAccessRead);
  CHECK(outcome.code == mmu::OutcomeCode::kFixed);
  CHECK(machine->rmap_count(kGpa).value() == 1);
}
