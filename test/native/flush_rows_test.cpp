// When an operation flushes, and what: row by row, for both MMUs. With a range
// provider the two kinds are told apart, as calls and as full flushes.
#include "flush_rows.hpp"

using namespace flush_rows;  // NOLINT: the rows' own vocabulary
using mmu::EventKind;
using mmu::Flavour;
using mmu::MemslotRegion;
using world::Flushed;
using world::kB;

TEST_CASE("B66: a range flush without a provider is one request for all") {
  for_both([](Flavour mmu) {
    const Vm machine = vm(mmu, "none");
    world::add(*machine, {.gpa = kA, .bytes = kPage});
    world::access(*machine, kA);
    CHECK(grown(*machine, "remote_tlb_flush_requests",
                [&] { world::zap(*machine, kA); }) == 1);
    CHECK(machine->flushes().full == 1);
    CHECK(machine->flushes().range == 0);
  });
}

TEST_CASE("B67: a range flush that the provider does counts nowhere") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu);
    world::access(*machine, kA);
    const auto before = world::stats(*machine);
    CHECK(flushes(*machine, [&] { world::zap(*machine, kA); }) == range(1));
    for (const char* name :
         {"remote_tlb_flush_requests", "remote_tlb_flush", "tlb_flush"}) {
      CHECK(world::stats(*machine)[name] == before.at(name));
    }
  });
}

TEST_CASE("B68: 1,044,481 pages are too many for a list, and all is flushed") {
  for_both([](Flavour mmu) {
    for (const std::uint64_t more : {0, 1}) {
      const Vm machine = vm(mmu);
      const std::uint64_t pages = 1'044'480 + more;
      const world::Slot slot{.bytes = pages * kPage};
      world::add(*machine, slot);
      const auto enable = [&] {
        set_flags(*machine, slot, MemslotRegion::kLogDirty);
      };
      const std::uint64_t before = world::stats(*machine)["remote_tlb_flush"];
      CHECK(grown(*machine, "remote_tlb_flush_requests", enable) == more);
      // Its own call for everything did it.
      CHECK(world::stats(*machine)["remote_tlb_flush"] - before == more);
      CHECK(machine->flushes().range == 1 - more);
      CHECK(machine->flushes().full == more);
    }
  });
}

TEST_CASE("7.4: a leaf where there was nothing flushes nothing") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu);
    CHECK(flushes(*machine, [&] { world::access(*machine, kA); }) == none());
  });
}

TEST_CASE("7.4: a write that gets its W again flushes nothing") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu, MemslotRegion::kLogDirty);
    world::access(*machine, kA);
    world::take_log(*machine);
    CHECK(flushes(*machine, [&] { world::access(*machine, kA); }) == none());
  });
}

TEST_CASE("7.4: a huge leaf in the place of a table flushes what it maps") {
  // Logging makes the table; in rmap its end zaps the leaf, not the table.
  for_both([](Flavour mmu) {
    const Vm machine = with_huge(mmu, MemslotRegion::kLogDirty);
    const world::Slot slot{.bytes = k2M, .backing = 2};
    if (mmu == kTdp) {
      // A table without leaves is none that recovery replaces.
      world::access(*machine, 0);
      world::zap(*machine, 0, k2M);
    } else {
      world::access(*machine, 0);
    }
    set_flags(*machine, slot, 0);
    CHECK(flushes(*machine, [&] { world::access(*machine, 0); }) ==
          range(k2MPages));
    CHECK(world::last_step(*machine, 0).level == 2);
  });
}

TEST_CASE("7.4: a table in the place of a huge leaf flushes in rmap alone") {
  for_both([](Flavour mmu) {
    const Vm machine = with_huge(mmu);
    world::access(*machine, 0, mmu::kAccessRead);
    const world::Slot slot{.bytes = k2M, .backing = 2};
    set_flags(*machine, slot, MemslotRegion::kLogDirty);
    // tdp has split it already, and gives a page its W back.
    CHECK(flushes(*machine, [&] { world::access(*machine, 0); }) ==
          (mmu == kTdp ? none() : range(k2MPages)));
  });
}

TEST_CASE("7.4: the host takes pages of two slots, and all is flushed once") {
  for_both([](Flavour mmu) {
    const Vm machine = vm(mmu);
    world::add(*machine, {.gpa = 0, .bytes = kPage});
    world::add(*machine, {.id = 1, .gpa = kPage, .bytes = kPage});
    const auto unmap = [&] { world::unmap_host(*machine, 0, 2 * kPage); };
    CHECK(flushes(*machine, unmap) == none());
    world::access(*machine, 0);
    world::access(*machine, kPage);
    CHECK(flushes(*machine, unmap) == full());
  });
}

TEST_CASE("7.4: age and test-age flush nothing") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu);
    world::access(*machine, kA);
    for (const EventKind kind : {EventKind::kTestAge, EventKind::kAge}) {
      CHECK(flushes(*machine, [&] {
              const auto out =
                  world::operate(*machine, kind, world::kHvaBase + kA, kPage);
              CHECK(out.level == 1);
            }) == none());
    }
  });
}

TEST_CASE("7.4: a zap of a range flushes it, if it took something") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu);
    const auto zap = [&] { world::zap(*machine, 0, 2 * kMiB); };
    CHECK(flushes(*machine, zap) == none());
    world::access(*machine, kA);
    CHECK(flushes(*machine, zap) == range(k2MPages));
  });
}

TEST_CASE("7.4: dropping all roots flushes in rmap, if a page went with them") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu);
    const auto zap_all = [&] {
      world::operate(*machine, EventKind::kZapAllFast);
    };
    CHECK(flushes(*machine, zap_all) == none());
    world::access(*machine, kA);
    CHECK(flushes(*machine, zap_all) == (mmu == kTdp ? none() : full()));
  });
}

TEST_CASE("7.4: the end of a slot flushes as dropping all roots does") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu);
    world::access(*machine, kA);
    CHECK(flushes(*machine, [&] {
            REQUIRE(machine->set_memslot({.slot = 0}));
          }) == (mmu == kTdp ? none() : full()));
  });
}

TEST_CASE("7.4: logging on flushes the slot, whatever is mapped") {
  for_both([](Flavour mmu) {
    const Vm machine = with_huge(mmu);
    const world::Slot slot{.bytes = k2M, .backing = 2};
    CHECK(flushes(*machine, [&] {
            set_flags(*machine, slot, MemslotRegion::kLogDirty);
          }) == range(k2MPages));
  });
}

TEST_CASE("7.4: logging on flushes no read-only slot, and none that is new") {
  for_both([](Flavour mmu) {
    constexpr std::uint32_t kBoth =
        MemslotRegion::kReadonly | MemslotRegion::kLogDirty;
    const Vm machine = with_page(mmu, MemslotRegion::kReadonly);
    const world::Slot slot{.gpa = kA, .bytes = kPage};
    world::access(*machine, kA, mmu::kAccessRead);
    CHECK(flushes(*machine, [&] { set_flags(*machine, slot, kBoth); }) ==
          none());
    const Vm fresh = vm(mmu);
    CHECK(flushes(*fresh, [&] {
            set_flags(*fresh, slot, MemslotRegion::kLogDirty);
          }) == none());
  });
}

TEST_CASE("7.4: a dirty log that is read flushes the slot if it took a bit") {
  for_both([](Flavour mmu) {
    const Vm machine = with_huge(mmu, MemslotRegion::kLogDirty);
    const auto read = [&] { world::take_log(*machine); };
    CHECK(flushes(*machine, read) == none());
    world::access(*machine, 0);
    CHECK(flushes(*machine, read) == range(k2MPages));
    CHECK(flushes(*machine, read) == none());
  });
}

TEST_CASE("7.4: logging off flushes the slot if huge pages can come back") {
  for_both([](Flavour mmu) {
    for (const bool touched : {false, true}) {
      const Vm machine = with_huge(mmu, MemslotRegion::kLogDirty);
      if (touched) world::access(*machine, 0);
      const world::Slot slot{.bytes = k2M, .backing = 2};
      const Flushed flushed =
          world::flushed_by(*machine, [&] { set_flags(*machine, slot, 0); });
      CHECK((flushed.range != 0) == touched);
      CHECK(flushed.full == 0);
    }
  });
}

TEST_CASE("7.4: a new generation of MMIO entries flushes nothing") {
  for_both([](Flavour mmu) {
    const Vm machine = vm(mmu);
    world::access(*machine, kA);
    CHECK(flushes(*machine, [&] {
            world::add(*machine, {.bytes = kPage});
            world::access(*machine, kA);
          }) == none());
  });
}

TEST_CASE("7.4: a conversion that takes a leaf flushes once") {
  for (const auto& [strategy, mmu, expected] :
       {std::tuple{"mirror", kTdp, full()}, std::tuple{"precise", kTdp, full()},
        std::tuple{"precise", kRmap, full()}}) {
    CAPTURE(std::string(strategy));
    const Vm machine = world::one_page({strategy, mmu, "tdx47"});
    CHECK(flushes(*machine, [&] { world::share(*machine, kA); }) == none());
    world::access(*machine, kB);
    CHECK(flushes(*machine, [&] {
            world::convert(*machine, kA, kPage, true);
          }) == expected);
  }
}
