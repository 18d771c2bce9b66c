// The checklist's rows on pages that the host has to read in first.
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
using world::Setup;

namespace {

std::unique_ptr<Machine> a_vm(const MachineConfig& config) {
  auto machine = world::vm(config);
  world::add(*machine, {.bytes = 64 * kMiB});
  return machine;
}

OutcomeCode read(Machine& machine, std::uint64_t gpa) {
  return world::access(machine, gpa, mmu::kAccessRead).code;
}

}  // namespace

TEST_CASE("without asynchronous faults a page that is out comes in at once") {
  const auto machine = a_vm({});
  world::host(*machine, kA, 2 * kPage, HostState::kIo);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kHit);
}

TEST_CASE("B85: two aliases of a page that is out wait for it once") {
  for (const auto flavour : kBothFlavours) {
    MachineConfig config = Setup{"stolen-bits", flavour}.config();
    config.host.async_page_faults = true;
    config.vcpus = 2;
    const auto machine = world::vm(config);
    world::add(*machine, {.gpa = kA, .bytes = kPage});
    world::host(*machine, kA, kPage, HostState::kIo);
    const std::string counted = world::counted_by(*machine, [&] {
      CHECK(world::access(*machine, kA).code == OutcomeCode::kRetry);
      CHECK(world::access(*machine, kB).code == OutcomeCode::kRetry);
    });
    CHECK(counted == "pf_taken 2");
    CHECK(machine->leaves(false).empty());
    // One fault for both, through the address that came first.
    CHECK(world::counted_by(*machine, [&] {
            const mmu::Outcome out =
                world::of_vcpu(*machine, EventKind::kAsyncReady, 0);
            CHECK(out.code == OutcomeCode::kDone);
          }) == "pf_fixed 1");
    CHECK(world::is_mapped(*machine, kA));
    CHECK(!world::is_mapped(*machine, kB));
    // Nobody has used it yet.
    CHECK((world::entry_at(*machine, kA) & mmu::bit(8)) == 0);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kHit);
    // Nothing is waited for any more, and the other vCPU never did.
    for (const std::uint16_t vcpu : {0, 1}) {
      CHECK(world::of_vcpu(*machine, EventKind::kAsyncReady, vcpu)
                .sptes_changed == 0);
    }
  }
}

TEST_CASE("B85: two slots over a page that is out wait for it each") {
  MachineConfig config = Setup{"duplicate-slots"}.config();
  config.host.async_page_faults = true;
  const auto machine = world::vm(config);
  world::add(*machine, {.gpa = kA, .bytes = kPage});
  world::host(*machine, kA, kPage, HostState::kIo);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kRetry);
  CHECK(world::access(*machine, kB).code == OutcomeCode::kRetry);
  CHECK(world::counted_by(*machine, [&] {
          world::of_vcpu(*machine, EventKind::kAsyncReady, 0);
        }) == "pf_fixed 2");
  CHECK(world::is_mapped(*machine, kA));
  CHECK(world::is_mapped(*machine, kB));
}

TEST_CASE(
    "the 65th page that a vCPU would wait for is waited for in the fault") {
  MachineConfig config;
  config.host.async_page_faults = true;
  config.vcpus = 2;
  const auto machine = a_vm(config);
  world::host(*machine, 0, kMiB, HostState::kIo);
  for (unsigned page = 0; page < 64; ++page) {
    CHECK(read(*machine, page * kPage) == OutcomeCode::kRetry);
  }
  CHECK(read(*machine, 64 * kPage) == OutcomeCode::kFixed);
  // The other vCPU has a list of its own.
  CHECK(
      world::of_vcpu(*machine, EventKind::kAccess, 1, 65 * kPage, 0, 1).code ==
      OutcomeCode::kRetry);
  CHECK(world::of_vcpu(*machine, EventKind::kAsyncReady, 0).sptes_changed ==
        64);
}
