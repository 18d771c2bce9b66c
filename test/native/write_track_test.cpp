#include "core/write_track.hpp"

#include <array>
#include <random>

#include "fault_world.hpp"

using mmu::EventKind;
using mmu::OutcomeCode;
using mmu::WriteTrack;
using world::kA;
using world::kBothFlavours;
using world::kMiB;
using world::kPage;

namespace {

constexpr std::uint64_t kRights = mmu::bit(1) | mmu::bit(58);

void track(mmu::Machine& machine, std::uint64_t gpa,
           std::uint64_t bytes = kPage) {
  world::operate(machine, EventKind::kWriteTrackAdd, gpa, bytes);
}
void untrack(mmu::Machine& machine, std::uint64_t gpa,
             std::uint64_t bytes = kPage) {
  world::operate(machine, EventKind::kWriteTrackRemove, gpa, bytes);
}

}  // namespace

TEST_CASE("stretches of watched frames count as an array of counters would") {
  std::array<unsigned, 64> plain{};
  WriteTrack track;
  std::mt19937 random(20260101);
  for (int step = 0; step < 4000; ++step) {
    const std::uint64_t a = random() % 64;
    const std::uint64_t b = random() % 65;
    const mmu::GfnRange range{{std::min(a, b)}, {std::max(a, b)}};
    const bool add = random() % 2 == 0;
    for (std::uint64_t i = range.start.value; i < range.end.value; ++i) {
      if (add) ++plain[i];
      if (!add && plain[i] != 0) --plain[i];
    }
    add ? track.add(range) : track.remove(range);
    bool any = false;
    for (std::uint64_t i = 0; i < 64; ++i) {
      REQUIRE(track.count({i}) == plain[i]);
      any |= plain[i] != 0;
    }
    REQUIRE(track.empty() == !any);
    const std::uint64_t from = random() % 64;
    bool met = false;
    for (std::uint64_t i = from; i < 64; ++i) met |= plain[i] != 0;
    REQUIRE(track.meets({{from}, {64}}) == met);
  }
}

TEST_CASE("a frame has 65,535 watchers at most and none at least") {
  WriteTrack track;
  for (unsigned i = 0; i < 65536; ++i) track.add({{3}, {5}});
  CHECK(track.count({3}) == 65535);
  CHECK(track.count({5}) == 0);
  for (unsigned i = 0; i < 65536; ++i) track.remove({{0}, {9}});
  CHECK(track.empty());
}

TEST_CASE(
    "B86: a watched frame loses W for good, everywhere, with a full flush") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = world::one_page({"stolen-bits", flavour});
    world::access(*machine, kA);
    world::access(*machine, world::kB);
    const mmu::Outcome out =
        world::operate(*machine, EventKind::kWriteTrackAdd, kA, kPage);
    CHECK(out.sptes_changed == 2);
    CHECK(out.flush == 2);
    for (const std::uint64_t gpa : {kA, world::kB}) {
      CHECK((world::entry_at(*machine, gpa) & kRights) == 0);
      CHECK(world::counted_by(*machine, [&] {
              const mmu::Outcome write = world::access(*machine, gpa);
              CHECK(write.code == OutcomeCode::kWriteProtected);
              CHECK(write.sptes_changed == 0);
            }) == "pf_taken 1");
      CHECK(world::access(*machine, gpa, mmu::kAccessRead).code ==
            OutcomeCode::kHit);
    }
    // Watched twice, and nothing is left to take.
    CHECK(
        world::operate(*machine, EventKind::kWriteTrackAdd, kA, kPage).flush ==
        0);
    untrack(*machine, kA);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kWriteProtected);
    untrack(*machine, kA);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
    CHECK(world::stats(*machine)["pf_fast"] == 0);
    CHECK((world::entry_at(*machine, kA) & kRights) == kRights);
  }
}

TEST_CASE("a leaf of a watched frame is made without W, MMU-writable and D") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = world::one_page({"none", flavour});
    track(*machine, kA);
    CHECK(world::access(*machine, kA, mmu::kAccessRead).code ==
          OutcomeCode::kFixed);
    CHECK(world::entry_at(*machine, kA) == 0x8200000000100975);
    world::zap(*machine, kA);
    // A write finds nothing, gets the same leaf, and is told.
    const mmu::Outcome out = world::access(*machine, kA);
    CHECK(out.code == OutcomeCode::kWriteProtected);
    CHECK(out.sptes_changed == 1);
    CHECK(out.level == 0);
    CHECK(world::entry_at(*machine, kA) == 0x8200000000100975);
    CHECK(world::stats(*machine)["pf_fixed"] == 1);
  }
}

TEST_CASE("B58: W that logging took is taken for good, which is a change") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = world::vm(mmu::MachineConfig{.mmu = flavour});
    world::add(*machine, {.bytes = 2 * kMiB});
    world::access(*machine, kA);
    world::operate(*machine, EventKind::kDirtyLogEnable);
    CHECK((world::entry_at(*machine, kA) & kRights) == mmu::bit(58));
    const mmu::Outcome out =
        world::operate(*machine, EventKind::kWriteTrackAdd, kA, kPage);
    CHECK(out.sptes_changed == 1);
    CHECK(out.flush == 2);
  }
}

TEST_CASE("B86: a watched frame counts against its pages of 2M and of 1G") {
  const auto machine = world::vm();
  world::add(*machine,
             {.gpa = world::kGiB, .bytes = 2 * world::kGiB, .backing = 3});
  using Words = std::vector<std::uint32_t>;
  Words of_2m(1024);
  const auto check = [&](std::uint32_t in_2m, std::uint32_t in_1g) {
    of_2m[513] = in_2m;
    CHECK(machine->lpage_info(0, 2) == of_2m);
    CHECK(machine->lpage_info(0, 3) == Words{0, in_1g});
  };
  check(0, 0);
  constexpr std::uint64_t kAt = 2 * world::kGiB + 2 * kMiB;
  track(*machine, kAt + 5 * kPage);
  check(1, 1);
  track(*machine, kAt + 4 * kPage, 3 * kPage);
  check(4, 4);
  untrack(*machine, kAt + 4 * kPage, 3 * kPage);
  untrack(*machine, kAt + 5 * kPage);
  check(0, 0);
  CHECK(!machine->lpage_info(0, 1));
  CHECK(!machine->lpage_info(1, 2));
}

TEST_CASE("B86: a watched frame has no huge page around it, at 2M nor at 1G") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = world::vm(mmu::MachineConfig{.mmu = flavour});
    world::add(*machine,
               {.gpa = world::kGiB, .bytes = world::kGiB, .backing = 3});
    constexpr std::uint64_t kBase = world::kGiB;
    CHECK(world::access(*machine, kBase).level == 3);
    CHECK(
        world::operate(*machine, EventKind::kWriteTrackAdd, kBase + kMiB, kPage)
            .sptes_changed == 1);
    CHECK((world::entry_at(*machine, kBase) & kRights) == 0);
    // A write beside it gets a page that the frame is not in.
    CHECK(world::access(*machine, kBase + 2 * kMiB).level == 2);
    CHECK(world::access(*machine, kBase).level == 1);
    CHECK(world::access(*machine, kBase + kMiB).code ==
          OutcomeCode::kWriteProtected);
    world::check_accounts(*machine);
  }
}

TEST_CASE("frames without a slot are not watched, and a slot forgets them") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB});
  track(*machine, 0, 2 * kMiB);
  CHECK(world::access(*machine, 0).code == OutcomeCode::kWriteProtected);
  mmu::MemslotRegion region = world::Slot{.bytes = kMiB}.region();
  region.gpa = kMiB;
  REQUIRE(machine->set_memslot(region));
  CHECK(world::access(*machine, kMiB).code == OutcomeCode::kFixed);
}

TEST_CASE("both slots over a watched page are, at their own addresses") {
  const auto machine = world::one_page({"duplicate-slots"});
  world::access(*machine, kA);
  world::access(*machine, world::kB);
  CHECK(world::operate(*machine, EventKind::kWriteTrackAdd, kA, kPage)
            .sptes_changed == 2);
  CHECK(world::access(*machine, world::kB).code ==
        OutcomeCode::kWriteProtected);
}

TEST_CASE("watching a terabyte costs what a page does") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = mmu::bit(42)});
  track(*machine, 0, mmu::bit(47));
  CHECK(world::access(*machine, mmu::bit(41)).code ==
        OutcomeCode::kWriteProtected);
  untrack(*machine, 0, mmu::bit(47));
  CHECK(world::access(*machine, mmu::bit(41)).code == OutcomeCode::kFixed);
}
