// The checklist's rows on memory that is mapped before anybody uses it.
#include "fault_world.hpp"

using mmu::EventKind;
using mmu::HostState;
using mmu::Machine;
using mmu::MachineConfig;
using mmu::OutcomeCode;
using world::kA;
using world::kB;
using world::kBothFlavours;
using world::kMiB;
using world::kPage;

namespace {

constexpr std::uint64_t kHole = 0xfee00000;
constexpr std::uint32_t kReadonly = mmu::MemslotRegion::kReadonly;
constexpr std::uint64_t kWriteBits =
    mmu::bit(1) | mmu::bit(57) | mmu::bit(58);  // W, host-, MMU-writable

std::unique_ptr<Machine> a_vm(const MachineConfig& config,
                              std::uint32_t flags = 0,
                              std::uint8_t backing = 1) {
  auto machine = world::vm(config);
  world::add(*machine,
             {.bytes = 64 * kMiB, .flags = flags, .backing = backing});
  return machine;
}

}  // namespace

TEST_CASE("B54: a page of a read-only slot is mapped ahead, not writable") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm({.mmu = flavour}, kReadonly);
    for (int i = 0; i < 2; ++i) {
      const auto done = machine->prefault(0, kA, kPage);
      REQUIRE(done);
      CHECK(done.value().bytes_done == kPage);
      CHECK(done.value().errno_name == "");
    }
    CHECK((world::entry_at(*machine, kA) & kWriteBits) == 0);
    CHECK((world::entry_at(*machine, kA) & mmu::bit(8)) == 0);
    CHECK(world::stats(*machine)["pf_taken"] == 0);
    CHECK(world::stats(*machine)["pf_fixed"] == 0);
  }
}

TEST_CASE("a page that is mapped ahead is writable, clean of use, and logged") {
  const auto machine = a_vm({}, mmu::MemslotRegion::kLogDirty);
  const mmu::Outcome out =
      world::of_vcpu(*machine, EventKind::kPrefault, 0, kA, 2 * kPage);
  CHECK(out.code == OutcomeCode::kDone);
  CHECK(out.level == 1);
  CHECK(out.sptes_changed == 5);
  CHECK(world::entry_at(*machine, kA) == 0x8600000000100a77);
  CHECK(machine->memslots()[0].dirty_pages == 2);
}

TEST_CASE("what is mapped ahead in huge pages is done to the end of the last") {
  const auto machine = a_vm({}, 0, 2);
  const auto done = machine->prefault(0, kMiB, 2 * kMiB);
  REQUIRE(done);
  CHECK(done.value().bytes_done == 2 * kMiB);
  CHECK(world::leaves_by_level(*machine) ==
        std::vector<std::uint64_t>{0, 0, 2, 0});
  const mmu::Outcome again =
      world::of_vcpu(*machine, EventKind::kPrefault, 0, kMiB, 2 * kMiB);
  CHECK(again.code == OutcomeCode::kDone);
  CHECK(again.level == 2);
  CHECK(again.sptes_changed == 0);
}

TEST_CASE("B54a: a hole cannot be mapped ahead, but gets its entry") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm({.mmu = flavour});
    const std::string counted = world::counted_by(*machine, [&] {
      const auto done = machine->prefault(0, kHole, kPage);
      REQUIRE(done);
      CHECK(done.value().bytes_done == 0);
      CHECK(done.value().errno_name == "ENOENT");
    });
    CHECK(counted == "pf_mmio_spte_created 1");
    CHECK((world::entry_at(*machine, kHole) & 7) == 6);
    CHECK(
        world::of_vcpu(*machine, EventKind::kPrefault, 0, kHole, kPage).code ==
        OutcomeCode::kError);
    // What was done before the hole counts.
    const auto partly = machine->prefault(0, 64 * kMiB - kPage, 2 * kPage);
    REQUIRE(partly);
    CHECK(partly.value().bytes_done == kPage);
    CHECK(partly.value().errno_name == "");
  }
}

TEST_CASE("B07: the merged design refuses an alias bit, and adds it itself") {
  const auto machine = world::one_page({"mirror", mmu::Flavour::kTdp, "tdx47"});
  const std::string before = world::dump(*machine);
  const auto refused = machine->prefault(0, kB, kPage);
  REQUIRE(refused);
  CHECK(refused.value().errno_name == "EINVAL");
  CHECK(world::dump(*machine) == before);
  REQUIRE(machine->prefault(0, kA, kPage));
  CHECK(world::is_mapped(*machine, kA));
  world::share(*machine, kA);
  CHECK(!world::is_mapped(*machine, kA));
  REQUIRE(machine->prefault(0, kA, kPage));
  CHECK(world::is_mapped(*machine, kB));
  CHECK(!world::is_mapped(*machine, kA));
}

TEST_CASE("other strategies map ahead through the alias that they are given") {
  const auto machine = world::one_page({"precise"});
  REQUIRE(machine->prefault(0, kB, kPage));
  CHECK(world::is_mapped(*machine, kB));
  CHECK(!world::is_mapped(*machine, kA));
  // A page of the other kind goes to the VMM.
  const auto tdx = world::one_page({"precise", mmu::Flavour::kTdp, "tdx47"});
  const auto fault = tdx->prefault(0, kB, kPage);
  REQUIRE(fault);
  CHECK(fault.value().errno_name == "EFAULT");
}

TEST_CASE("what cannot be mapped ahead says why, and changes nothing") {
  const auto machine = a_vm({.vcpus = 2});
  world::access(*machine, 0);
  world::begin(*machine, kA);
  world::host(*machine, kMiB * 2, kPage, HostState::kNone);
  const std::string before = world::dump(*machine);
  const auto reason = [&](std::uint64_t gpa, std::uint64_t bytes) {
    const auto done = machine->prefault(1, gpa, bytes);
    REQUIRE(done);
    CHECK(done.value().bytes_done == 0);
    return std::string(done.value().errno_name);
  };
  CHECK(reason(kA + 1, kPage) == "EINVAL");
  CHECK(reason(kA, kPage - 1) == "EINVAL");
  CHECK(reason(kA, 0) == "EINVAL");
  CHECK(reason(kA, ~std::uint64_t{0xfff}) == "EINVAL");
  CHECK(reason(kA, kPage) == "EAGAIN");
  CHECK(reason(2 * kMiB, kPage) == "EFAULT");
  CHECK(!machine->prefault(2, 0, kPage));
  CHECK(!machine->prefault(0, std::uint64_t{1} << 48, kPage));
  CHECK(!machine->step(
      {.kind = EventKind::kPrefault, .vcpu = 2, .bytes = kPage}));
  CHECK(!machine->step({.kind = EventKind::kPrefault, .bytes = 0}));
  CHECK(!machine->step({.kind = EventKind::kAsyncReady, .vcpu = 2}));
  CHECK(!machine->step({.kind = EventKind::kVcpuTlbFlush, .vcpu = 2}));
  CHECK(
      !machine->step({.kind = EventKind::kHvaBegin, .gpa = 1, .bytes = kPage}));
  CHECK(!machine->step({.kind = EventKind::kWriteTrackAdd, .gpa = kA}));
  CHECK(world::dump(*machine) == before);
}
