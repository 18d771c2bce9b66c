#include "core/host_memory.hpp"

#include "alias_world.hpp"

using mmu::HostMapping;
using mmu::HostMappingRequest;
using mmu::HostMemory;
using mmu::HostState;
using mmu::OutcomeCode;
using world::kGiB;
using world::kHvaBase;
using world::kMiB;

namespace {

constexpr std::uint64_t kPage = 0x1000;

HostMapping mapping(std::uint64_t start, std::uint64_t end, HostState state,
                    std::uint64_t pfn) {
  return {.pages = {{start}, {end}},
          .state = state,
          .has_frames = true,
          .first_frame = {pfn}};
}

void set(mmu::Machine& machine, const HostMappingRequest& request) {
  const auto refused = machine.set_host_mapping(request);
  INFO((refused ? refused->message() : std::string()));
  REQUIRE(!refused);
}

std::uint64_t pfn_at(const mmu::Machine& machine, std::uint64_t gpa) {
  const auto steps = machine.walk(gpa);
  REQUIRE(steps);
  return (steps.value().back().spte & mmu::bits(51, 12)) >> 12;
}

}  // namespace

TEST_CASE("a later host mapping takes the middle out of an earlier one") {
  HostMemory memory;
  memory.set(mapping(10, 20, HostState::kReadOnly, 100));
  memory.set(mapping(13, 15, HostState::kNone, 500));
  for (std::uint64_t page = 8; page < 22; ++page) {
    CAPTURE(page);
    const HostMapping* found = memory.find({page});
    CHECK((found != nullptr) == (page >= 10 && page < 20));
    if (found == nullptr) continue;
    const bool middle = page == 13 || page == 14;
    CHECK(found->state == (middle ? HostState::kNone : HostState::kReadOnly));
    CHECK(found->frame_of({page}).value ==
          (middle ? page - 13 + 500 : page - 10 + 100));
  }
  CHECK(memory.meets({{19}, {30}}));
  CHECK(!memory.meets({{20}, {30}}));
  memory.forget({{0}, {14}});
  CHECK(memory.find({13}) == nullptr);
  CHECK(memory.find({14})->frame_of({14}).value == 501);
  memory.forget({{0}, {100}});
  CHECK(memory.empty());
}

TEST_CASE("only a page that is not in memory is made resident") {
  HostMemory memory;
  memory.set(mapping(10, 20, HostState::kIo, 100));
  memory.make_resident({12});
  CHECK(memory.find({11})->state == HostState::kIo);
  CHECK(memory.find({12})->state == HostState::kReadWrite);
  CHECK(memory.find({12})->frame_of({12}).value == 102);
  CHECK(memory.find({13})->frame_of({13}).value == 103);
  memory.set(mapping(30, 31, HostState::kPoison, 0));
  memory.make_resident({30});
  CHECK(memory.find({30})->state == HostState::kPoison);
  memory.make_resident({50});
  CHECK(memory.find({50}) == nullptr);
}

TEST_CASE("a leaf has the frame that the host gives, not the slot's") {
  for (const auto flavour : {mmu::Flavour::kTdp, mmu::Flavour::kRmap}) {
    const auto machine = world::vm(mmu::MachineConfig{.mmu = flavour});
    world::add(*machine, {.bytes = kGiB});
    world::access(*machine, 0);
    set(*machine,
        {.hva = kHvaBase + 16 * kPage, .bytes = 16 * kPage, .pfn = 0x7000});
    CHECK(world::access(*machine, 18 * kPage).code == OutcomeCode::kFixed);
    CHECK(pfn_at(*machine, 18 * kPage) == 0x7002);
    CHECK(world::access(*machine, 32 * kPage).code == OutcomeCode::kFixed);
    CHECK(pfn_at(*machine, 32 * kPage) == 32);
    // What is mapped already stays: the host changes, KVM is not told.
    CHECK(world::access(*machine, 0).code == OutcomeCode::kHit);
    set(*machine, {.hva = kHvaBase, .bytes = kGiB, .reset = true});
    CHECK(world::access(*machine, 40 * kPage).code == OutcomeCode::kFixed);
    CHECK(pfn_at(*machine, 40 * kPage) == 40);
  }
}

TEST_CASE("a slot made over memory that was spoken of asks the host") {
  const auto machine = world::vm();
  set(*machine, {.hva = kHvaBase, .bytes = kPage, .pfn = 0x321});
  world::add(*machine, {.bytes = kMiB});
  CHECK(world::access(*machine, 0).code == OutcomeCode::kFixed);
  CHECK(pfn_at(*machine, 0) == 0x321);
  mmu::MemslotRegion moved = world::Slot{.bytes = kMiB}.region();
  moved.gpa = 4 * kMiB;
  REQUIRE(machine->set_memslot(moved));
  CHECK(world::access(*machine, 4 * kMiB).code == OutcomeCode::kFixed);
  CHECK(pfn_at(*machine, 4 * kMiB) == 0x321);
}

TEST_CASE("a huge leaf needs its span in one host mapping of its level") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kGiB});
  // Larger than the slot's backing, which is of the rest.
  set(*machine, {.hva = kHvaBase, .bytes = 4 * kMiB, .level = 2});
  CHECK(world::access(*machine, 0).level == 2);
  CHECK(world::access(*machine, 4 * kMiB).level == 1);
  // One page apart from the others.
  set(*machine, {.hva = kHvaBase + 3 * kMiB, .bytes = kPage, .level = 2});
  CHECK(world::access(*machine, 2 * kMiB).level == 1);
  // Frames that are not where 2M need them.
  set(*machine, {.hva = kHvaBase + 8 * kMiB - kPage,
                 .bytes = 4 * kMiB,
                 .pfn = 0x1000,
                 .level = 2});
  CHECK(world::access(*machine, 8 * kMiB).level == 1);
  CHECK(pfn_at(*machine, 8 * kMiB) == 0x1001);
  set(*machine, {.hva = kHvaBase + 16 * kMiB,
                 .bytes = 2 * kMiB,
                 .pfn = 0x400,
                 .level = 2});
  CHECK(world::access(*machine, 17 * kMiB).level == 2);
  CHECK(pfn_at(*machine, 17 * kMiB) == 0x400);
}

TEST_CASE("4K host mappings take huge leaves from a slot with 2M backing") {
  for (const auto flavour : {mmu::Flavour::kTdp, mmu::Flavour::kRmap}) {
    const auto machine = world::vm(mmu::MachineConfig{.mmu = flavour});
    world::add(*machine, {.bytes = kGiB, .backing = 2});
    set(*machine, {.hva = kHvaBase + kMiB, .bytes = kPage});
    CHECK(world::access(*machine, 0).level == 1);
    CHECK(world::access(*machine, 2 * kMiB).level == 2);
  }
}

TEST_CASE("logging off makes no huge page that the host does not have") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = 4 * kMiB, .backing = 2});
  set(*machine, {.hva = kHvaBase, .bytes = kPage});
  world::operate(*machine, mmu::EventKind::kDirtyLogEnable);
  world::access(*machine, 0);
  world::access(*machine, 2 * kMiB);
  world::operate(*machine, mmu::EventKind::kDirtyLogDisable);
  CHECK(world::leaves_by_level(*machine) ==
        std::vector<std::uint64_t>{0, 1, 1, 0});
  world::check_accounts(*machine);
}

TEST_CASE("a host mapping that cannot be is refused, and nothing changes") {
  const auto machine = world::vm({.host_maxphyaddr = 48});
  world::add(*machine, {.bytes = kGiB, .backing = 2});
  const std::uint64_t most = std::uint64_t{1} << 36;
  const HostMappingRequest bad[] = {
      {.hva = kHvaBase + 1, .bytes = kPage},
      {.hva = kHvaBase, .bytes = kPage - 1},
      {.hva = kHvaBase, .bytes = 0},
      {.hva = mmu::bit(52), .bytes = kPage},
      {.hva = mmu::bit(52) - kPage, .bytes = 2 * kPage},
      {.hva = ~std::uint64_t{0xfff}, .bytes = ~std::uint64_t{0xfff}},
      {.hva = kHvaBase, .bytes = kPage, .level = 0},
      {.hva = kHvaBase, .bytes = kPage, .level = 4},
      {.hva = kHvaBase, .bytes = kPage, .pfn = most},
      {.hva = kHvaBase, .bytes = 2 * kPage, .pfn = most - 1},
      {.hva = kHvaBase, .bytes = kPage, .pfn = ~std::uint64_t{0}},
      {.hva = kHvaBase, .bytes = 2 * kMiB, .pfn = 0x201, .level = 2},
      {.hva = kHvaBase, .bytes = kPage, .state = HostState::kIo, .reset = true},
      {.hva = kHvaBase, .bytes = kPage, .pfn = 0, .reset = true},
  };
  for (const HostMappingRequest& request : bad) {
    CAPTURE(request.hva);
    CAPTURE(request.bytes);
    const auto refused = machine->set_host_mapping(request);
    REQUIRE(refused);
    CHECK(mmu::info(refused->code).name == "ERR_HOST_MAPPING");
  }
  // None of them left anything behind that a fault would see.
  CHECK(world::access(*machine, 0).level == 2);
  CHECK(pfn_at(*machine, 0) == 0);
}

TEST_CASE("private memory's half of the frames is not the host's to give") {
  const auto machine =
      world::vm(world::Setup{"mirror", mmu::Flavour::kTdp, "tdx47"}.config());
  const std::uint64_t half = std::uint64_t{1}
                             << (machine->config().host_maxphyaddr - 13);
  const auto request = [](std::uint64_t pfn) {
    return HostMappingRequest{.hva = kHvaBase, .bytes = kPage, .pfn = pfn};
  };
  CHECK(machine->set_host_mapping(request(half)));
  CHECK(!machine->set_host_mapping(request(half - 1)));
}

TEST_CASE("an alias bit inside a 1G page refuses 1G host mappings") {
  const auto machine = world::vm(
      world::Setup{"stolen-bits", mmu::Flavour::kTdp, "xo:38"}.config());
  CHECK(
      machine->set_host_mapping({.hva = kHvaBase, .bytes = kGiB, .level = 3}));
  CHECK(
      !machine->set_host_mapping({.hva = kHvaBase, .bytes = kGiB, .level = 2}));
}
