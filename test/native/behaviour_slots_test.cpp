// The checklist's rows on memslots.
#include "slot_world.hpp"

using mmu::ErrorCode;
using mmu::MemslotRegion;
using mmu::OutcomeCode;
using world::kGiB;
using world::kMiB;
using world::kPage;
using world::Setup;

namespace {

ErrorCode refusal(mmu::Machine& machine, const MemslotRegion& region) {
  const auto done = machine.set_memslot(region);
  REQUIRE(!done);
  return done.error().code;
}

std::string errno_of(mmu::Machine& machine, const MemslotRegion& region) {
  const auto done = machine.set_memslot(region);
  return done ? "0" : std::string(mmu::info(done.error().code).errno_name);
}

using Words = std::vector<std::uint32_t>;

MemslotRegion good() { return world::Slot{.bytes = kMiB}.region(); }

}  // namespace

TEST_CASE("B05: a slot whose last page is above the highest frame is refused") {
  const auto machine = world::vm({.address_bits = 40, .host_maxphyaddr = 40});
  MemslotRegion region = good();
  region.gpa = mmu::bit(40) - kMiB;
  CHECK(machine->set_memslot(region));
  region.slot = 1;
  region.gpa = mmu::bit(40) - kMiB + kPage;
  region.bytes = kMiB;
  // It overlaps as well, and that comes first.
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotOverlap);
  region.gpa = mmu::bit(40);
  const std::string before = world::dump(*machine);
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotBeyondMax);
  CHECK(errno_of(*machine, region) == "EINVAL");
  CHECK(world::dump(*machine) == before);
}

TEST_CASE("B05: kernel 5.10 has no such row") {
  mmu::MachineConfig config = world::with_kernel(mmu::Kernel::k510);
  config.address_bits = 40;
  config.host_maxphyaddr = 40;
  const auto machine = world::vm(config);
  MemslotRegion region = good();
  region.gpa = mmu::bit(51);
  CHECK(machine->set_memslot(region));
}

TEST_CASE("B06: a slot that ends among the aliases is refused") {
  const auto machine =
      world::vm(Setup{.strategy = "mirror", .preset = "tdx47"});
  MemslotRegion region = good();
  region.gpa = mmu::bit(47) - kMiB + kPage;
  const std::string before = world::dump(*machine);
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotAliased);
  CHECK(errno_of(*machine, region) == "EINVAL");
  CHECK(world::dump(*machine) == before);
  region.gpa -= kPage;
  CHECK(machine->set_memslot(region));
}

TEST_CASE("B24: an id above the users' is refused before its flags") {
  for (const auto& [kernel, first] : {std::pair{mmu::Kernel::k616, 32764u},
                                      {mmu::Kernel::k510, 509u},
                                      {mmu::Kernel::kPvm618, 32764u}}) {
    const auto machine = world::vm(world::with_kernel(kernel));
    MemslotRegion region = good();
    region.slot = first;
    region.flags = 0x80;
    CHECK(refusal(*machine, region) == ErrorCode::kMemslotId);
    region.slot = first - 1;
    CHECK(refusal(*machine, region) == ErrorCode::kMemslotFlags);
    region.flags = 0;
    CHECK(machine->set_memslot(region));
  }
}

TEST_CASE("B24: the older ioctl looks at its two flags first of all") {
  const auto machine = world::vm(world::with_kernel(mmu::Kernel::kPvm618));
  MemslotRegion region = good();
  region.slot = 32764;
  region.flags = world::kWithMemfd;
  region.is_old_ioctl = true;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotFlags);
  region.is_old_ioctl = false;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotId);
}

TEST_CASE("B25: of an odd size and an overlap, the size is reported") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB});
  MemslotRegion region = good();
  region.slot = 1;
  region.bytes += 1;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotSize);
  region.bytes -= 1;
  CHECK(errno_of(*machine, region) == "EEXIST");
}

TEST_CASE("B26: the same parameters again are accepted and change nothing") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB, .flags = world::kLogged});
  world::access(*machine, 0x5000);
  const std::string before = world::dump(*machine);
  world::add(*machine, {.bytes = kMiB, .flags = world::kLogged});
  CHECK(world::dump(*machine) == before);
}

TEST_CASE("B27: the read-only flag of a slot cannot be toggled") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB});
  world::add(*machine,
             {.id = 1, .gpa = kGiB, .bytes = kMiB, .flags = world::kReadonly});
  const std::string before = world::dump(*machine);
  MemslotRegion region = good();
  region.flags = world::kReadonly;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotImmutable);
  region = world::Slot{.id = 1, .gpa = kGiB, .bytes = kMiB}.region();
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotImmutable);
  CHECK(world::dump(*machine) == before);
}

TEST_CASE("B28: a move onto another slot keeps every mapping") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB});
  world::add(*machine, {.id = 1, .gpa = kGiB, .bytes = kMiB});
  world::access(*machine, 0);
  const std::string before = world::dump(*machine);
  MemslotRegion region = good();
  region.gpa = kGiB - kPage;
  CHECK(errno_of(*machine, region) == "EEXIST");
  CHECK(world::dump(*machine) == before);
}

TEST_CASE("B29: a move that fails late has lost the mappings, not the slot") {
  const auto machine = world::vm({.address_bits = 40, .host_maxphyaddr = 40});
  world::add(*machine, {.bytes = kMiB, .flags = world::kLogged});
  world::access(*machine, 0);
  MemslotRegion region = good();
  region.flags = world::kLogged;
  region.gpa = mmu::bit(40);
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotBeyondMax);
  CHECK(machine->generation(0) == 2 + 4);
  CHECK(machine->leaves(true).empty());
  CHECK(machine->memslot(0)->gpa == 0);
  CHECK(machine->memslot(0)->dirty_pages == 1);
}

TEST_CASE("B29: so does one that would end among the aliases") {
  const auto machine =
      world::vm(Setup{.strategy = "mirror", .preset = "tdx47"});
  world::add(*machine, {.bytes = kMiB});
  world::access(*machine, 0);
  REQUIRE(machine->leaves(true).size() == 1);
  MemslotRegion region = good();
  region.gpa = mmu::bit(47) - kPage;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotAliased);
  // With private memory there is one address space, and a step is 1.
  CHECK(machine->generation(0) == 1 + 2);
  CHECK(machine->leaves(true).empty());
  CHECK(machine->memslot(0)->gpa == 0);
}

TEST_CASE("B29: of a late failure and an overlap, nothing has happened yet") {
  const auto machine = world::vm({.address_bits = 40, .host_maxphyaddr = 40});
  world::add(*machine, {.bytes = kMiB});
  world::add(*machine, {.id = 1, .gpa = mmu::bit(40) - kMiB, .bytes = kMiB});
  world::access(*machine, 0);
  const std::string before = world::dump(*machine);
  MemslotRegion region = good();
  region.gpa = mmu::bit(40) - kPage;
  CHECK(errno_of(*machine, region) == "EEXIST");
  CHECK(world::dump(*machine) == before);
}

TEST_CASE("B30, B31: a generation steps by the number of address spaces") {
  for (const auto& [kernel, step] :
       {std::pair{mmu::Kernel::k616, 2u}, {mmu::Kernel::kPvm618, 1u}}) {
    const auto machine = world::vm(world::with_kernel(kernel));
    CHECK(machine->address_spaces() == step);
    MemslotRegion region = good();
    REQUIRE(machine->set_memslot(region));
    CHECK(machine->generation(0) == step);
    region.flags = world::kLogged;
    REQUIRE(machine->set_memslot(region));
    CHECK(machine->generation(0) == 2 * step);
    region.gpa = kGiB;
    REQUIRE(machine->set_memslot(region));
    CHECK(machine->generation(0) == 4 * step);
    region.bytes = 0;
    REQUIRE(machine->set_memslot(region));
    CHECK(machine->generation(0) == 6 * step);
  }
}

TEST_CASE("B30: a VM with one address space has no slot in another") {
  const auto machine = world::vm(world::with_kernel(mmu::Kernel::kPvm618));
  MemslotRegion region = good();
  region.slot = 1u << 16;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotAddressSpace);
  CHECK(!machine->memslot(1u << 16));
}

TEST_CASE("B30: private memory of merged kernels leaves one address space") {
  struct Row {
    std::string_view strategy;
    std::string_view preset;
    unsigned spaces;
  };
  for (const Row& row : {Row{"mirror", "tdx47", 1},
                         {"precise", "tdx47", 1},
                         {"role-private", "tdx47", 2},
                         {"stolen-bits", "bits:47", 2},
                         {"precise", "bits:47", 2}}) {
    CAPTURE(std::string(row.strategy));
    const auto machine =
        world::vm(world::Setup{row.strategy, mmu::Flavour::kTdp, row.preset});
    CHECK(machine->address_spaces() == row.spaces);
    world::add(*machine, {.bytes = kPage});
    CHECK(machine->generation(0) == row.spaces);
  }
}

TEST_CASE("B32: huge pages are refused at both ends of a slot, not between") {
  const auto machine = world::vm();
  world::add(*machine,
             {.gpa = 0x100 * kPage, .bytes = 0x1000 * kPage, .backing = 3});
  CHECK(machine->lpage_info(0, 2) == Words{1, 0, 0, 0, 0, 0, 0, 0, 1});
  CHECK(machine->lpage_info(0, 3) == Words{1});
  for (std::uint64_t at = 0; at < 9; ++at) {
    const std::uint64_t gpa = std::max(at * 2 * kMiB, 0x100 * kPage);
    CAPTURE(at);
    CHECK(world::access(*machine, gpa).level == (at == 0 || at == 8 ? 1 : 2));
  }
}

TEST_CASE("B33: a slot whose host memory is off by a page has small pages") {
  const auto machine = world::vm();
  MemslotRegion region =
      world::Slot{.gpa = 0, .bytes = 2 * kGiB, .backing = 3}.region();
  region.hva += kPage;
  REQUIRE(machine->set_memslot(region));
  CHECK(machine->lpage_info(0, 2) == Words(1024, 1));
  CHECK(machine->lpage_info(0, 3) == Words{1, 1});
  for (const std::uint64_t gpa : {std::uint64_t{0}, 2 * kMiB, kGiB}) {
    CHECK(world::access(*machine, gpa).level == 1);
  }
}

TEST_CASE("B34: with the quirk on, a delete drops every table") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB});
  world::add(*machine, {.id = 1, .gpa = kGiB, .bytes = kMiB});
  world::access(*machine, 0);
  world::access(*machine, kGiB);
  MemslotRegion region = good();
  region.bytes = 0;
  REQUIRE(machine->set_memslot(region));
  CHECK(machine->tables().roots == 0);
  CHECK(machine->leaves(true).empty());
}

TEST_CASE("B35: with the quirk off, a slot's own leaves go and tables stay") {
  for (const mmu::Flavour flavour : {mmu::Flavour::kTdp, mmu::Flavour::kRmap}) {
    for (const bool by_cap : {false, true}) {
      mmu::MachineConfig config;
      config.mmu = flavour;
      config.host.slot_zap_all = by_cap;
      const auto machine = world::vm(config);
      if (by_cap) REQUIRE(!machine->disable_quirks(mmu::bit(7)));
      // A page each: no neighbour is prefetched.
      world::add(*machine, {.bytes = kPage});
      world::add(*machine, {.id = 1, .gpa = kGiB, .bytes = kPage});
      world::access(*machine, 0);
      world::access(*machine, kGiB);
      const auto tables = machine->tables();
      MemslotRegion region = world::Slot{.bytes = kPage}.region();
      region.bytes = 0;
      const auto done = machine->set_memslot(region);
      REQUIRE(done);
      CHECK(done.value().sptes_changed == 1);
      CHECK(done.value().flush == 2);
      CHECK(machine->leaves(false).size() == 1);
      CHECK(machine->tables().by_level[1] == tables.by_level[1]);
      CHECK(world::access(*machine, kGiB).code == OutcomeCode::kHit);
      // Nothing of this one is mapped any more.
      world::operate(*machine, mmu::EventKind::kZap, kGiB, kPage);
      region = world::Slot{.id = 1, .gpa = kGiB, .bytes = kPage}.region();
      region.bytes = 0;
      const auto again = machine->set_memslot(region);
      REQUIRE(again);
      CHECK(again.value().flush == 0);
    }
  }
}

TEST_CASE("B35: a quirk that is none is refused, and kernel 5.10 has none") {
  const auto machine = world::vm();
  CHECK(machine->disable_quirks(mmu::bit(10))->code == ErrorCode::kCapability);
  CHECK(!machine->disable_quirks(0));
  const auto old = world::vm(world::with_kernel(mmu::Kernel::k510));
  CHECK(old->disable_quirks(mmu::bit(7))->code == ErrorCode::kCapability);
}

TEST_CASE("B36: attributes that are so already change nothing") {
  const auto machine =
      world::vm(Setup{.strategy = "mirror", .preset = "tdx47"});
  world::add(*machine, {.gpa = world::kA, .bytes = kPage});
  world::access(*machine, world::kA);
  const std::string before = world::dump(*machine);
  world::convert(*machine, world::kA, kPage, true);
  CHECK(world::dump(*machine) == before);
}

TEST_CASE("an MMIO entry is stale after as many steps as its kernel counts") {
  // 18 bits in 5.10, of which the lowest tells the address space.
  const auto machine = world::vm(world::with_kernel(mmu::Kernel::k510));
  MemslotRegion region = good();
  REQUIRE(machine->set_memslot(region));
  world::access(*machine, 0xfee00000);
  while (machine->generation(0) != mmu::bit(18) - 2) {
    region.flags ^= world::kLogged;
    REQUIRE(machine->set_memslot(region));
  }
  CHECK(machine->leaves(true).size() == 1);
  region.flags ^= world::kLogged;
  REQUIRE(machine->set_memslot(region));
  CHECK(machine->leaves(true).empty());
}
