// When an operation flushes, and what, row by row: what came to the MMU after
// the operations of flush_rows_test.cpp, and what else stands between them.
//
// Left out are the rows on the guest's own tables (out of step, emulated
// writes, INVLPG), and a vCPU that goes to another processor, as there is none.
// A leaf that loses MMU-writable where a fault maps it anew is not to be had:
// whoever takes that right has invalidated the leaf before.
#include "flush_rows.hpp"
#include "slot_world.hpp"

using namespace flush_rows;  // NOLINT: the rows' own vocabulary
using mmu::EventKind;
using mmu::Flavour;
using mmu::MachineConfig;
using mmu::MemslotRegion;
using world::kB;
using world::kLogged;

namespace {

Vm with(MachineConfig config, Flavour mmu) {
  config.mmu = mmu;
  config.flush_provider = "hyperv";
  return world::vm(config);
}
std::string by_event(mmu::Machine& machine, EventKind kind,
                     std::uint64_t at = 0, std::uint64_t bytes = 0) {
  return flushes(machine, [&] { world::operate(machine, kind, at, bytes); });
}
std::string by_access(mmu::Machine& machine, std::uint64_t gpa,
                      std::uint8_t how = mmu::kAccessWrite) {
  return flushes(machine, [&] { world::access(machine, gpa, how); });
}

}  // namespace

TEST_CASE("7.4: splitting a huge page on a fault flushes nothing in tdp") {
  for (const bool by_fetch : {false, true}) {
    MachineConfig config;
    config.host.eager_page_split = by_fetch;
    config.host.nx_huge_pages = by_fetch;
    const Vm machine = with(config, kTdp);
    const world::Slot slot{.bytes = k2M, .backing = 2};
    world::add(*machine, slot);
    world::access(*machine, 0);
    if (!by_fetch) set_flags(*machine, slot, kLogged);
    CHECK(by_access(*machine, 0,
                    by_fetch ? mmu::kAccessFetch : mmu::kAccessWrite) ==
          none());
    CHECK(world::last_step(*machine, 0).level == 1);
  }
}

TEST_CASE("7.4: so does splitting all of a slot at once, which logging does") {
  // What is flushed is the slot, once, for the W that its leaves lost.
  const Vm machine = vm(kTdp);
  const world::Slot slot{.bytes = 4 * k2M, .backing = 2};
  world::add(*machine, slot);
  for (std::uint64_t at = 0; at < 4 * k2M; at += k2M) {
    world::access(*machine, at);
  }
  CHECK(flushes(*machine, [&] { set_flags(*machine, slot, kLogged); }) ==
        range(4 * k2MPages));
}

TEST_CASE("7.4: one leaf too many of a frame flushes the frame") {
  MachineConfig config = Setup{"stolen-bits", kRmap}.config();
  config.rmap_recycle_threshold = 0;
  config.preset = "bits:47";
  const Vm machine = with(config, kRmap);
  world::add(*machine, {.gpa = kA, .bytes = kPage});
  CHECK(by_access(*machine, kA) == none());
  // Its plan is a call through either alias.
  CHECK(by_access(*machine, kB) == world::to_text({.range = 2, .pages = 2}));
}

TEST_CASE("7.4: shadow pages that are zapped to keep a limit flush once") {
  const Vm machine = vm(kRmap);
  world::add(*machine, {.bytes = 128 * k2M});
  REQUIRE(machine->set_mmu_pages(200));
  for (std::uint64_t i = 0; i < 100; ++i) world::access(*machine, i * k2M);
  const auto limit = [&](std::uint64_t pages) {
    return flushes(*machine, [&] { REQUIRE(machine->set_mmu_pages(pages)); });
  };
  CHECK(limit(150) == none());
  CHECK(limit(64) == full());
}

TEST_CASE("7.4: with the quirk off a slot's end flushes all, if it took any") {
  for_both([](Flavour mmu) {
    MachineConfig config;
    config.host.slot_zap_all = false;
    for (const bool touched : {false, true}) {
      const Vm machine = with(config, mmu);
      world::add(*machine, {.bytes = kPage});
      if (touched) world::access(*machine, 0);
      CHECK(flushes(*machine, [&] {
              REQUIRE(machine->set_memslot({.slot = 0}));
            }) == (touched ? full() : none()));
    }
  });
}

TEST_CASE("7.4: a new root serves nothing that an old one had cached") {
  // No flush is asked for: the vCPU that loads the root forgets by itself.
  Setup setup{.preset = "none", .tlb = true};
  const Vm machine = world::vm(setup);
  world::add(*machine, {.bytes = kPage});
  world::access(*machine, 0);
  CHECK(world::access(*machine, 0).tables_read == 0);
  CHECK(by_event(*machine, EventKind::kZapAllFast) == none());
  CHECK(world::access(*machine, 0).code == mmu::OutcomeCode::kFixed);
}

TEST_CASE("7.4: a slot that moves with logging flushes as its end does") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu);
    MemslotRegion region = world::Slot{.gpa = kA, .bytes = kPage}.region();
    region.gpa = 2 * kA;
    region.flags = kLogged;
    CHECK(flushes(*machine, [&] { REQUIRE(machine->set_memslot(region)); }) ==
          none());
  });
}

TEST_CASE("7.4: a log that begins all set flushes nothing") {
  for_both([](Flavour mmu) {
    const Vm machine = with_huge(mmu);
    world::enable(*machine, world::kManualProtect, 3);
    world::access(*machine, 0);
    const world::Slot slot{.bytes = k2M, .backing = 2};
    CHECK(flushes(*machine, [&] { set_flags(*machine, slot, kLogged); }) ==
          none());
  });
}

TEST_CASE(
    "7.4: with PML too logging on flushes the slot, and a write nothing") {
  for_both([](Flavour mmu) {
    MachineConfig config;
    config.host.pml = true;
    const Vm machine = with(config, mmu);
    const world::Slot slot{.bytes = 4 * kPage};
    world::add(*machine, slot);
    world::access(*machine, 0);
    CHECK(flushes(*machine, [&] { set_flags(*machine, slot, kLogged); }) ==
          range(4));
    CHECK(by_access(*machine, 0) == none());
    CHECK(flushes(*machine, [&] { world::take_log(*machine); }) == range(4));
    CHECK(flushes(*machine, [&] { world::take_log(*machine); }) == none());
  });
}

TEST_CASE(
    "7.4: in manual mode a read flushes nothing, a clear if it took any") {
  for_both([](Flavour mmu) {
    const Vm machine = vm(mmu);
    world::enable(*machine, world::kManualProtect, 1);
    world::add(*machine, {.bytes = 64 * kPage, .flags = kLogged});
    world::access(*machine, 0);
    CHECK(flushes(*machine, [&] { world::log_of(*machine); }) == none());
    const auto clear = [&](std::uint64_t word) {
      const std::vector<std::uint64_t> words{word};
      return flushes(*machine, [&] {
        REQUIRE(machine->clear_dirty_log({0, 0, 64}, words));
      });
    };
    CHECK(clear(2) == none());
    CHECK(clear(1) == range(64));
    CHECK(clear(1) == none());
  });
}

TEST_CASE("7.4: a reset of rings flushes all, if an entry was collected") {
  for_both([](Flavour mmu) {
    MachineConfig config;
    config.mmu = mmu;
    config.flush_provider = "hyperv";
    const auto machine = world::vm_with_rings(kPage, 1, config);
    world::add(*machine, {.bytes = 4 * kPage, .flags = kLogged});
    const auto reset = [&] {
      return flushes(*machine, [&] { REQUIRE(machine->reset_rings()); });
    };
    world::access(*machine, 0);
    CHECK(reset() == none());
    REQUIRE(machine->collect_ring(0, 0));
    CHECK(reset() == full());
    CHECK(reset() == none());
    CHECK(by_event(*machine, EventKind::kDirtyRingReset) == none());
    world::access(*machine, kPage);
    CHECK(by_event(*machine, EventKind::kDirtyRingReset) == full());
  });
}

TEST_CASE("7.4: a frame that is watched flushes all, if a mapping changed") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu);
    const auto add = [&] {
      return by_event(*machine, EventKind::kWriteTrackAdd, kA, kPage);
    };
    const auto remove = [&] {
      return by_event(*machine, EventKind::kWriteTrackRemove, kA, kPage);
    };
    CHECK(add() == none());
    CHECK(remove() == none());
    world::access(*machine, kA);
    CHECK(add() == full());
    CHECK(add() == none());
    CHECK(remove() == none());
    CHECK(remove() == none());
    CHECK(by_access(*machine, kA) == none());
  });
}

TEST_CASE("7.4: a recovery flushes all, if it zapped a table") {
  for_both([](Flavour mmu) {
    MachineConfig config;
    config.host.nx_huge_pages = true;
    const Vm machine = with(config, mmu);
    world::add(*machine, {.bytes = 4 * k2M, .backing = 2});
    const auto recover = [&] {
      return by_event(*machine, EventKind::kNxRecover);
    };
    CHECK(recover() == none());
    world::access(*machine, 0, mmu::kAccessFetch);
    world::access(*machine, k2M, mmu::kAccessFetch);
    CHECK(recover() == full());
    CHECK(recover() == full());
    CHECK(recover() == none());
  });
}

TEST_CASE("7.4: a conversion of a guest_memfd's page flushes what it takes") {
  const Vm machine = world::vm(Setup{"mirror", kTdp, "tdx47"});
  const auto file = machine->create_guest_memfd(2 * kPage, 0);
  REQUIRE(file);
  MemslotRegion region = world::Slot{.gpa = kA, .bytes = 2 * kPage}.region();
  region.flags = MemslotRegion::kGuestMemfd;
  region.memfd = file.value();
  REQUIRE(machine->set_memslot(region));
  const auto convert = [&](bool to_private) {
    return flushes(*machine,
                   [&] { world::convert(*machine, kA, kPage, to_private); });
  };
  CHECK(convert(false) == none());
  CHECK(convert(true) == none());
  world::access(*machine, kA);
  // The private page, then the shared one: each once, all of it.
  CHECK(convert(false) == full());
  world::access(*machine, kB);
  CHECK(convert(true) == full());
  CHECK(convert(true) == none());
}

TEST_CASE("7.4: MMIO entries whose generations wrap go as all roots do") {
  for_both([](Flavour mmu) {
    MachineConfig config = world::with_kernel(mmu::Kernel::k510);
    const Vm machine = with(config, mmu);
    MemslotRegion region = world::Slot{.bytes = kPage}.region();
    REQUIRE(machine->set_memslot(region));
    while (machine->generation(0) != mmu::bit(18) - 2) {
      region.flags ^= MemslotRegion::kLogDirty;
      REQUIRE(machine->set_memslot(region));
    }
    world::access(*machine, 0xfee00000);
    REQUIRE(machine->leaves(true).size() == 1);
    // Another slot's coming alone would flush nothing.
    REQUIRE(region.flags == 0);
    CHECK(flushes(*machine, [&] {
            world::add(*machine, {.id = 1, .gpa = k2M, .bytes = kPage});
          }) == (mmu == kTdp ? none() : full()));
    CHECK(machine->leaves(true).empty());
  });
}

TEST_CASE("7.4: a window flushes when it opens, if it took something") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu);
    const auto window = [&](EventKind kind) {
      return by_event(*machine, kind, world::kHvaBase + kA, kPage);
    };
    CHECK(window(EventKind::kHvaBegin) == none());
    CHECK(by_access(*machine, kA) == none());
    CHECK(window(EventKind::kHvaEnd) == none());
    world::access(*machine, kA);
    CHECK(window(EventKind::kHvaBegin) == full());
    CHECK(window(EventKind::kHvaBegin) == none());
    CHECK(window(EventKind::kHvaEnd) == none());
  });
}

TEST_CASE("7.4: mapping ahead flushes nothing, but for a table it replaces") {
  for_both([](Flavour mmu) {
    const Vm machine = with_huge(mmu, kLogged);
    const world::Slot slot{.bytes = k2M, .backing = 2};
    const auto ahead = [&] {
      return flushes(*machine, [&] { REQUIRE(machine->prefault(0, 0, k2M)); });
    };
    CHECK(ahead() == none());
    CHECK(ahead() == none());
    world::zap(*machine, 0, k2M);
    set_flags(*machine, slot, 0);
    CHECK(ahead() == range(k2MPages));
    CHECK(world::last_step(*machine, 0).level == 2);
  });
}

TEST_CASE("7.4: pages that came in late are mapped without a flush") {
  for_both([](Flavour mmu) {
    MachineConfig config;
    config.host.async_page_faults = true;
    const Vm machine = with(config, mmu);
    world::add(*machine, {.gpa = kA, .bytes = kPage});
    world::host(*machine, kA, kPage, mmu::HostState::kIo);
    CHECK(by_access(*machine, kA) == none());
    CHECK(by_event(*machine, EventKind::kAsyncReady) == none());
    CHECK(world::is_mapped(*machine, kA));
  });
}

TEST_CASE("7.4: a vCPU's own flush is nobody else's, and no request") {
  for_both([](Flavour mmu) {
    const Vm machine = with_page(mmu);
    world::access(*machine, kA);
    CHECK(grown(*machine, "remote_tlb_flush_requests", [&] {
            CHECK(by_event(*machine, EventKind::kVcpuTlbFlush) == none());
          }) == 0);
    CHECK(world::stats(*machine)["tlb_flush"] == 1);
  });
}
