// Guest memory that KVM touches itself, vCPUs that come later, and logs that
// twins share.
#include "slot_world.hpp"

using mmu::ErrorCode;
using mmu::EventKind;
using mmu::OutcomeCode;
using world::kGiB;
using world::kLogged;
using world::kMiB;
using world::kPage;

TEST_CASE("a write of KVM's own marks page after page until one fails") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = 2 * kPage, .flags = kLogged});
  world::add(
      *machine,
      {.id = 1, .gpa = 2 * kPage, .bytes = kPage, .flags = world::kReadonly});
  const auto done = machine->guest_write(0, kPage - 4, 2 * kPage);
  REQUIRE(done);
  CHECK(done.value().faulted);
  CHECK(done.value().bytes_done == kPage + 4);
  REQUIRE(done.value().pieces.size() == 2);
  CHECK(done.value().pieces[0].hva == world::kHvaBase + kPage - 4);
  CHECK(done.value().pieces[1].bytes == kPage);
  CHECK(world::log_of(*machine)[0] == 3);
  const auto read = machine->guest_read(2 * kPage - 1, kPage);
  REQUIRE(read);
  CHECK(!read.value().faulted);
  CHECK(machine->guest_read(3 * kPage - 1, 2).value().faulted);
  CHECK(machine->guest_read(~std::uint64_t{0}, 2).value().bytes_done == 0);
}

TEST_CASE("KVM's own accesses go where the host lets them") {
  using mmu::HostState;
  struct Row {
    HostState state;
    bool reads;
    bool writes;
  };
  for (const Row& row : {Row{HostState::kReadWrite, true, true},
                         Row{HostState::kReadOnly, true, false},
                         Row{HostState::kNone, false, false},
                         Row{HostState::kPoison, false, false},
                         Row{HostState::kIo, true, true}}) {
    CAPTURE(static_cast<int>(row.state));
    const auto machine = world::vm();
    world::add(*machine, {.bytes = 2 * kPage, .flags = kLogged});
    REQUIRE(!machine->set_host_mapping(
        {.hva = world::kHvaBase + kPage, .bytes = kPage, .state = row.state}));
    CHECK(machine->guest_read(kPage, 1).value().faulted != row.reads);
    const auto done = machine->guest_write(0, 0, 2 * kPage);
    REQUIRE(done);
    CHECK(done.value().faulted != row.writes);
    CHECK(done.value().bytes_done == (row.writes ? 2 : 1) * kPage);
    CHECK(world::log_of(*machine)[0] == (row.writes ? 3u : 1u));
  }
}

TEST_CASE("what KVM has read or written is in memory from then on") {
  mmu::MachineConfig config;
  config.host.async_page_faults = true;
  const auto machine = world::vm(config);
  world::add(*machine, {.bytes = 3 * kPage});
  REQUIRE(!machine->set_host_mapping({.hva = world::kHvaBase,
                                      .bytes = 3 * kPage,
                                      .state = mmu::HostState::kIo}));
  REQUIRE(machine->guest_write(0, 0, 1));
  REQUIRE(machine->guest_read(kPage, 1));
  CHECK(world::access(*machine, 0).code == OutcomeCode::kFixed);
  CHECK(world::access(*machine, kPage).code == OutcomeCode::kFixed);
  CHECK(world::access(*machine, 2 * kPage).code == OutcomeCode::kRetry);
}

TEST_CASE("a write of KVM's own that is too long or nobody's is refused") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB, .flags = kLogged});
  const std::string before = world::dump(*machine);
  CHECK(machine->guest_write(0, 0, kGiB + 1).error().code ==
        ErrorCode::kConfig);
  CHECK(machine->guest_write(1, 0, 1).error().code == ErrorCode::kVcpu);
  CHECK(machine->guest_read(0, ~std::uint64_t{0}).error().code ==
        ErrorCode::kConfig);
  CHECK(world::dump(*machine) == before);
}

TEST_CASE("a vCPU is made once, and events may name it from then on") {
  mmu::MachineConfig config;
  config.vcpus = 0;
  config.tlb = mmu::TlbShape::small(24);
  const auto machine = world::vm(config);
  world::add(*machine, {.bytes = kMiB});
  CHECK(!machine->step({.access = 2}));
  CHECK(world::operate(*machine, EventKind::kZapAllFast).code ==
        OutcomeCode::kDone);
  CHECK(machine->create_vcpu(7).value() == 0);
  CHECK(machine->create_vcpu(3).value() == 1);
  const std::string before = world::dump(*machine);
  CHECK(machine->create_vcpu(7).error().code == ErrorCode::kVcpuExists);
  CHECK(machine->create_vcpu(65536).error().code == ErrorCode::kVcpu);
  CHECK(world::dump(*machine) == before);
  for (const std::uint16_t vcpu : {0, 1}) {
    CHECK(machine->step({.access = 2, .vcpu = vcpu}));
  }
  CHECK(!machine->step({.access = 2, .vcpu = 2}));
  CHECK(machine->config().vcpus == 2);
}

TEST_CASE("twins share a log: one ring entry a page, one clear for all") {
  mmu::MachineConfig config =
      world::Setup{.strategy = "duplicate-slots"}.config();
  const auto ringed = world::vm_with_rings(kPage, 1, config);
  world::add(*ringed, {.gpa = world::kA, .bytes = kPage, .flags = kLogged});
  world::access(*ringed, world::kB);
  const auto entries = ringed->collect_ring(0, 0).value();
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].slot == 0);
  CHECK(ringed->reset_rings().value().outcome.sptes_changed == 1);
  const auto machine = world::vm(config);
  world::add(*machine, {.gpa = world::kA, .bytes = kPage, .flags = kLogged});
  world::access(*machine, world::kA);
  world::access(*machine, world::kB);
  const std::vector<std::uint64_t> bitmap{1};
  const auto cleared = machine->clear_dirty_log({0, 0, 1}, bitmap);
  REQUIRE(cleared);
  CHECK(cleared.value().sptes_changed == 2);
  CHECK(machine->flushes().full == 2);
}
