// The checklist's rows on dirty rings and the capabilities that lead to them.
#include "slot_world.hpp"

using mmu::ErrorCode;
using mmu::EventKind;
using mmu::Flavour;
using mmu::MemslotRegion;
using mmu::OutcomeCode;
using world::kGiB;
using world::kLogged;
using world::kMiB;
using world::kPage;

namespace {

std::string cap_error(mmu::Machine& machine, std::uint32_t cap,
                      std::uint64_t arg0, std::uint32_t flags = 0) {
  const auto error = machine.enable_cap(cap, flags, arg0);
  return error ? std::string(mmu::info(error->code).errno_name) : "0";
}

}  // namespace

TEST_CASE("B75: a ring of 100 bytes, of three pages and of 2 MiB is refused") {
  mmu::MachineConfig config;
  config.vcpus = 0;
  const auto machine = world::vm(config);
  for (const std::uint32_t cap : {world::kRingCap, world::kRingCapAcqRel}) {
    CHECK(cap_error(*machine, cap, 100) == "EINVAL");
    CHECK(cap_error(*machine, cap, 3 * kPage) == "EINVAL");
    CHECK(cap_error(*machine, cap, 2 * kMiB) == "E2BIG");
    CHECK(cap_error(*machine, cap, 0) == "EINVAL");
    CHECK(cap_error(*machine, cap, kPage / 2) == "EINVAL");
  }
  CHECK(machine->reset_rings().error().code == ErrorCode::kNoDirtyRing);
  // Whatever the flags.
  CHECK(cap_error(*machine, world::kRingCap, kMiB, 1) == "0");
  CHECK(cap_error(*machine, world::kRingCap, kMiB) == "EINVAL");
}

TEST_CASE("B75: a ring comes before the vCPUs, and holds what PML may log") {
  const auto late = world::vm();
  CHECK(cap_error(*late, world::kRingCap, kPage) == "EINVAL");
  mmu::MachineConfig config;
  config.vcpus = 0;
  config.host.pml = true;
  const auto machine = world::vm(config);
  CHECK(cap_error(*machine, world::kRingCap, 2 * kPage) == "EINVAL");
  CHECK(cap_error(*machine, world::kRingCap, 4 * kPage) == "0");
  mmu::MachineConfig old = world::with_kernel(mmu::Kernel::k510);
  old.vcpus = 0;
  CHECK(cap_error(*world::vm(old), world::kRingCap, kPage) == "EINVAL");
}

TEST_CASE("B75: manual protection takes no flags and no bit that it lacks") {
  const auto machine = world::vm();
  for (const std::uint64_t arg0 : {2, 4, 5, 7}) {
    CHECK(cap_error(*machine, world::kManualProtect, arg0) == "EINVAL");
  }
  CHECK(cap_error(*machine, world::kManualProtect, mmu::bit(32)) == "EINVAL");
  CHECK(cap_error(*machine, world::kManualProtect, 1, 1) == "EINVAL");
  CHECK(cap_error(*machine, 1, 1) == "EINVAL");
  for (const std::uint64_t arg0 : {3, 1, 0}) {
    CHECK(cap_error(*machine, world::kManualProtect, arg0) == "0");
  }
}

TEST_CASE("B76: entries of one window are re-armed at once, with one flush") {
  for (const Flavour flavour : {Flavour::kTdp, Flavour::kRmap}) {
    mmu::MachineConfig config;
    config.mmu = flavour;
    const auto machine = world::vm_with_rings(kPage, 1, config);
    world::add(*machine, {.bytes = kMiB, .flags = kLogged});
    // Backwards, and by more than what a word's start would hold.
    world::access(*machine, 70 * kPage);
    world::access(*machine, 60 * kPage);
    const auto entries = machine->collect_ring(0, 0);
    REQUIRE(entries);
    REQUIRE(entries.value().size() == 2);
    CHECK(entries.value()[0].page == 70);
    CHECK(entries.value()[1].page == 60);
    const auto reset = machine->reset_rings();
    REQUIRE(reset);
    CHECK(reset.value().entries == 2);
    CHECK(reset.value().outcome.sptes_changed == 2);
    CHECK(reset.value().outcome.flush == 2);
    CHECK(machine->flushes().full == 1);
    CHECK(world::access(*machine, 70 * kPage).code == OutcomeCode::kFixed);
    CHECK(world::access(*machine, 60 * kPage).code == OutcomeCode::kFixed);
    // Not collected, not reset.
    const auto again = machine->reset_rings();
    REQUIRE(again);
    CHECK(again.value().entries == 0);
    CHECK(again.value().outcome.flush == 0);
  }
}

TEST_CASE(
    "B76: an entry whose window leaves the slot is counted, not re-armed") {
  const auto machine = world::vm_with_rings(kPage);
  world::add(*machine, {.bytes = 8 * kPage, .flags = kLogged});
  world::add(*machine, {.id = 1, .gpa = kGiB, .bytes = kMiB, .flags = kLogged});
  world::access(*machine, 7 * kPage);
  world::access(*machine, kGiB);
  REQUIRE(machine->collect_ring(0, 0));
  MemslotRegion region =
      world::Slot{.bytes = 8 * kPage, .flags = kLogged}.region();
  region.bytes = 0;
  REQUIRE(machine->set_memslot(region));
  world::add(*machine, {.bytes = 4 * kPage, .flags = kLogged});
  world::access(*machine, 0);
  world::access(*machine, kGiB);
  const auto reset = machine->reset_rings();
  REQUIRE(reset);
  CHECK(reset.value().entries == 2);
  CHECK(reset.value().outcome.sptes_changed == 1);
}

TEST_CASE("with rings there is no bitmap to read or clear, and no short way") {
  const auto machine = world::vm_with_rings(kPage, 2);
  world::add(*machine, {.bytes = kMiB, .flags = kLogged});
  CHECK(machine->dirty_log(0, false).error().code == ErrorCode::kDirtyRing);
  CHECK(machine->clear_dirty_log({0xffff, 32, 1}, {}).error().code ==
        ErrorCode::kDirtyRing);
  for (const EventKind kind :
       {EventKind::kDirtyLogGet, EventKind::kDirtyLogClear}) {
    CHECK(world::operate(*machine, kind).code == OutcomeCode::kError);
  }
  CHECK(machine->dirty_rounds().rounds == 0);
  // First touches, and writes that only lost W, by either vCPU.
  for (const std::uint16_t vcpu : {0, 1}) {
    REQUIRE(machine->step(
        {.access = mmu::kAccessWrite, .vcpu = vcpu, .gpa = vcpu * kPage}));
  }
  CHECK(machine->collect_ring(0, 0).value().size() == 1);
  CHECK(machine->collect_ring(1, 0).value()[0].page == 1);
  REQUIRE(machine->reset_rings());
  REQUIRE(machine->step({.access = mmu::kAccessWrite, .vcpu = 1}));
  CHECK(machine->collect_ring(1, 0).value()[0].page == 0);
  CHECK(machine->collect_ring(2, 0).error().code == ErrorCode::kVcpu);
}

TEST_CASE("a vCPU whose ring is full has it emptied before it goes on") {
  const auto machine = world::vm_with_rings(kPage);
  world::add(*machine, {.bytes = kMiB, .flags = kLogged});
  constexpr std::uint64_t kSoftLimit = 256 - 64;
  for (std::uint64_t page = 0; page < kSoftLimit; ++page) {
    CHECK(world::access(*machine, page * kPage).flush == 0);
  }
  const auto next = world::access(*machine, kSoftLimit * kPage);
  CHECK(next.code == OutcomeCode::kFixed);
  CHECK(next.flush == 2);
  CHECK(next.sptes_changed == kSoftLimit + 1);
  CHECK(machine->collect_ring(0, 0).value().size() == 1);
}

TEST_CASE("what is pushed on a ring without room is lost") {
  const auto machine = world::vm_with_rings(kPage);
  world::add(*machine, {.bytes = 300 * kPage, .flags = kLogged});
  CHECK(world::write(*machine, 0, 300 * kPage) == 300 * kPage);
  const auto entries = machine->collect_ring(0, 0).value();
  REQUIRE(entries.size() == 256);
  CHECK(entries.back().page == 255);
  CHECK(machine->reset_rings().value().entries == 256);
  world::write(*machine, 0, 1);
  CHECK(machine->collect_ring(0, 5).value().size() == 1);
}

TEST_CASE(
    "an event collects and resets every ring, or says that there is none") {
  CHECK(world::operate(*world::vm(), EventKind::kDirtyRingReset).code ==
        OutcomeCode::kError);
  const auto machine = world::vm_with_rings(kPage, 2);
  world::add(*machine, {.bytes = kMiB, .flags = kLogged});
  CHECK(world::operate(*machine, EventKind::kDirtyRingReset).flush == 0);
  world::access(*machine, 0);
  world::write(*machine, kPage, 1, 1);
  const auto reset = world::operate(*machine, EventKind::kDirtyRingReset);
  CHECK(reset.code == OutcomeCode::kDone);
  CHECK(reset.flush == 2);
  CHECK(reset.sptes_changed == 1);
}
