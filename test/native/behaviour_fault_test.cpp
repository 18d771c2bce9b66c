// The checklist's rows on what a fault finds: nothing, the host's refusal, a
// read-only slot, a page that is not there yet.
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

constexpr std::uint64_t kHole = 0xfee00000;
constexpr std::uint32_t kReadonly = mmu::MemslotRegion::kReadonly;
constexpr std::uint64_t kWriteBits =
    mmu::bit(1) | mmu::bit(57) | mmu::bit(58);  // W, host-, MMU-writable

std::unique_ptr<Machine> a_vm(const MachineConfig& config,
                              std::uint32_t flags = 0) {
  auto machine = world::vm(config);
  world::add(*machine, {.bytes = 64 * kMiB, .flags = flags});
  return machine;
}

OutcomeCode read(Machine& machine, std::uint64_t gpa) {
  return world::access(machine, gpa, mmu::kAccessRead).code;
}

// Whether an access to a hole looks at the entry, as it does where the vCPU
// has not met this hole last. The VM is traced.
bool looks_at_entry(Machine& machine, std::uint16_t vcpu, std::uint64_t gpa) {
  machine.take_trace();
  CHECK(world::of_vcpu(machine, EventKind::kAccess, vcpu, gpa, 0, 1).code ==
        OutcomeCode::kEmulate);
  return machine.take_trace().find("check_mmio_spte: ") != std::string::npos;
}

}  // namespace

TEST_CASE("B43: a write to a read-only slot is emulated, and nothing is kept") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm({.mmu = flavour}, kReadonly);
    // Not even the host is asked.
    world::host(*machine, kA, kPage, HostState::kNone);
    for (int i = 0; i < 2; ++i) {
      CHECK(world::counted_by(*machine, [&] {
              CHECK(world::access(*machine, kA).code == OutcomeCode::kEmulate);
            }) == "pf_emulate 1, pf_taken 1");
    }
    CHECK(machine->leaves(true).empty());
    CHECK(read(*machine, kA) == OutcomeCode::kError);
    CHECK(read(*machine, kA + kPage) == OutcomeCode::kFixed);
    CHECK((world::entry_at(*machine, kA + kPage) & kWriteBits) == 0);
  }
}

TEST_CASE("B43: nor is a hole forgotten that the vCPU met before it") {
  for (const std::uint64_t gpa : {kA, std::uint64_t{0xfee00000}}) {
    MachineConfig config{.internal_slots = true};
    config.host.apicv = false;
    const auto machine = world::vm(config);
    world::add(*machine, {.gpa = kA, .bytes = kPage, .flags = kReadonly});
    REQUIRE(!machine->set_trace(mmu::TraceRelease::k616));
    constexpr std::uint64_t kOther = 0xd0000000;
    CHECK(read(*machine, kOther) == OutcomeCode::kEmulate);
    CHECK(world::access(*machine, gpa).code == OutcomeCode::kEmulate);
    CHECK(!looks_at_entry(*machine, 0, kOther));
  }
}

namespace {

constexpr auto kEntryMade = "pf_emulate 1, pf_mmio_spte_created 1, pf_taken 1";

std::string counted_at_hole(Machine& machine) {
  return world::counted_by(machine, [&] {
    CHECK(world::access(machine, kHole).code == OutcomeCode::kEmulate);
  });
}

}  // namespace

TEST_CASE("B44: the first access to a hole is a fault that makes its entry") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm({.mmu = flavour});
    CHECK(counted_at_hole(*machine) == kEntryMade);
    CHECK((world::entry_at(*machine, kHole) & 7) == 6);
  }
}

TEST_CASE("B45: the next ones are emulated, and no fault is counted") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm({.mmu = flavour});
    counted_at_hole(*machine);
    auto before = world::stats(*machine);
    for (std::uint64_t again = 1; again <= 3; ++again) {
      CHECK(counted_at_hole(*machine) == "");
      auto now = world::stats(*machine);
      for (const char* name : {"insn_emulation", "mmio_exits", "exits"}) {
        CHECK(now[name] == before[name] + again);
      }
    }
  }
}

TEST_CASE("B46: after a slot has changed the entry is of its generation") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm({.mmu = flavour});
    counted_at_hole(*machine);
    const auto made_in = [&](std::uint64_t generation) {
      return (world::entry_at(*machine, kHole) >> 3 & 0xff) == generation;
    };
    CHECK(made_in(2));
    // A new slot zaps nothing: the entry is refreshed.
    world::add(*machine, {.id = 1, .gpa = mmu::bit(32), .bytes = kPage});
    CHECK(machine->leaves(true).size() == 1);
    CHECK(made_in(2));
    CHECK(counted_at_hole(*machine) == kEntryMade);
    CHECK(made_in(4));
    CHECK(counted_at_hole(*machine) == "");
    // The end of one zaps everything: it is made anew.
    REQUIRE(machine->set_memslot({.slot = 1}));
    CHECK(machine->leaves(true).empty());
    CHECK(counted_at_hole(*machine) == kEntryMade);
    CHECK(made_in(8));
    CHECK(counted_at_hole(*machine) == "");
    // A slot of the other address space is none of its business.
    mmu::MemslotRegion smm = world::Slot{.bytes = kPage}.region();
    smm.slot = 1u << 16;
    REQUIRE(machine->set_memslot(smm));
    CHECK(counted_at_hole(*machine) == "");
  }
}

TEST_CASE("B47: page 0 is emulated by its entry, which no cache stands for") {
  const auto machine = world::vm();
  REQUIRE(!machine->set_trace(mmu::TraceRelease::k616));
  CHECK(world::access(*machine, 0).code == OutcomeCode::kEmulate);
  CHECK(world::counted_by(
            *machine, [&] { CHECK(looks_at_entry(*machine, 0, 0)); }) == "");
  CHECK((world::entry_at(*machine, 0) & 7) == 6);
}

TEST_CASE("a hole that a vCPU met last is emulated whatever its entry says") {
  // Through the other alias the hole has an entry of the current generation;
  // this alias' own is old, and is not looked at.
  const auto machine = world::vm(Setup{"stolen-bits"});
  world::access(*machine, kA);
  world::add(*machine, {.gpa = mmu::bit(32), .bytes = kPage});
  const auto touch = [&](std::uint64_t gpa) {
    return world::counted_by(*machine, [&] {
      CHECK(world::access(*machine, gpa).code == OutcomeCode::kEmulate);
    });
  };
  // Creating a slot zaps nothing.
  const std::uint64_t old = world::entry_at(*machine, kA);
  CHECK(touch(kB) != "");
  CHECK(touch(kA) == "");
  CHECK(world::entry_at(*machine, kA) == old);
  // What is kept has no alias bits, so B never hits: its entry does.
  CHECK(touch(kB) == "");
  CHECK(touch(2 * kA) != "");
  CHECK(touch(kA) != "");
}

TEST_CASE("without MMIO caching a hole is a fault each time, and no entry") {
  for (const auto flavour : kBothFlavours) {
    MachineConfig config{.mmu = flavour};
    config.host.mmio_caching = false;
    const auto machine = a_vm(config);
    for (int i = 0; i < 3; ++i) {
      CHECK(world::counted_by(*machine, [&] {
              CHECK(world::access(*machine, kHole).code ==
                    OutcomeCode::kEmulate);
            }) == "pf_emulate 1, pf_taken 1");
    }
    CHECK(machine->leaves(true).empty());
  }
}

TEST_CASE("without APICv the APIC page is emulated, and is never mapped") {
  for (const auto flavour : kBothFlavours) {
    MachineConfig config{.mmu = flavour, .internal_slots = true};
    config.host.apicv = false;
    const auto machine = world::vm(config);
    for (int i = 0; i < 2; ++i) {
      CHECK(world::counted_by(*machine, [&] {
              CHECK(world::access(*machine, kHole).code ==
                    OutcomeCode::kEmulate);
            }) == "pf_emulate 1, pf_taken 1");
    }
    CHECK(machine->leaves(true).empty());
    // The TSS is mapped as ever.
    CHECK(world::access(*machine, 0xfeffd000).code == OutcomeCode::kFixed);
  }
}

TEST_CASE("an error of the host's is the fault's, and changes nothing") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm({.mmu = flavour});
    world::access(*machine, 0);
    world::host(*machine, kA, kPage, HostState::kNone);
    world::host(*machine, kA + kPage, kPage, HostState::kPoison);
    world::host(*machine, kA + 2 * kPage, kPage, HostState::kReadOnly);
    const std::string before = world::dump(*machine, false);
    const std::string counted = world::counted_by(*machine, [&] {
      CHECK(read(*machine, kA) == OutcomeCode::kError);
      CHECK(world::access(*machine, kA + kPage).code == OutcomeCode::kRetry);
      CHECK(world::access(*machine, kA + 2 * kPage).code ==
            OutcomeCode::kError);
    });
    CHECK(counted == "pf_taken 3");
    CHECK(world::dump(*machine, false) == before);
  }
}

TEST_CASE("a page that the host has read-only is mapped so, also when logged") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm({.mmu = flavour}, mmu::MemslotRegion::kLogDirty);
    world::host(*machine, kA, kPage, HostState::kReadOnly);
    CHECK(read(*machine, kA) == OutcomeCode::kFixed);
    // W, D and both software bits clear, as of a read-only slot.
    CHECK(world::entry_at(*machine, kA) == 0x8000000000100975);
    CHECK(machine->memslots()[0].dirty_pages == 0);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kError);
    CHECK(read(*machine, kA) == OutcomeCode::kHit);
  }
}

TEST_CASE("B52: with A/D bits an absent entry is no matter for the fast path") {
  const auto machine = a_vm({});
  REQUIRE(!machine->set_trace(mmu::TraceRelease::k616));
  const auto tries = [&] {
    world::access(*machine, kA);
    return machine->take_trace().find("fast_page_fault: ") != std::string::npos;
  };
  CHECK(!tries());
  world::operate(*machine, EventKind::kDirtyLogEnable);
  machine->take_trace();
  CHECK(tries());
}

TEST_CASE("a hole that a vCPU met last leaves no line of its entry") {
  const auto machine = world::vm(MachineConfig{.vcpus = 2});
  REQUIRE(!machine->set_trace(mmu::TraceRelease::k616));
  const auto looks = [&](std::uint16_t vcpu, std::uint64_t gpa) {
    return looks_at_entry(*machine, vcpu, gpa);
  };
  world::access(*machine, kHole);
  CHECK(!looks(0, kHole));
  // Another vCPU has met none, and from then on this one.
  CHECK(looks(1, kHole));
  CHECK(!looks(1, kHole));
}

TEST_CASE("B53: a leaf that is there and allows the access is spurious") {
  const auto machine = world::one_page({"v5-as-posted", mmu::Flavour::kRmap});
  world::access(*machine, kA);
  CHECK(world::counted_by(*machine, [&] {
          CHECK(world::access(*machine, kB).code == OutcomeCode::kSpurious);
        }) == "pf_spurious 1, pf_taken 1");
}

TEST_CASE("a guest that flushes its own TLB flushes that vCPU's and no other") {
  Setup setup{.strategy = "none", .preset = "none", .tlb = true, .vcpus = 2};
  const auto machine = world::vm(setup);
  world::add(*machine, {.bytes = kMiB});
  const auto touch = [&](std::uint16_t vcpu) {
    return world::of_vcpu(*machine, EventKind::kAccess, vcpu, 0, 0, 2);
  };
  for (const std::uint16_t vcpu : {0, 1}) touch(vcpu);
  CHECK(touch(0).tables_read == 0);
  const mmu::Outcome out =
      world::of_vcpu(*machine, EventKind::kVcpuTlbFlush, 0);
  CHECK(out.flush == 0);
  CHECK(world::stats(*machine)["tlb_flush"] == 1);
  CHECK(world::stats(*machine)["remote_tlb_flush_requests"] == 0);
  CHECK(touch(0).tables_read == 4);
  CHECK(touch(1).tables_read == 0);
}
