#include "world.hpp"

using mmu::ErrorCode;
using world::kGiB;
using world::kMiB;

namespace {

ErrorCode refusal(mmu::Machine& machine, const mmu::MemslotRegion& region) {
  const auto done = machine.set_memslot(region);
  REQUIRE(!done);
  return done.error().code;
}

mmu::MemslotRegion good() { return world::Slot{.bytes = kMiB}.region(); }

// Each row breaks one rule and every rule below it in KVM's order, so the code
// that comes back shows that the first one won.
struct Row {
  const char* name;
  void (*spoil)(mmu::MemslotRegion&);
  ErrorCode expected;
};

const Row kRows[] = {
    {"wraps", [](auto& r) { r.gpa = ~std::uint64_t{0xfff}; },
     ErrorCode::kMemslotWraps},
    {"address space", [](auto& r) { r.slot |= 2u << 16; },
     ErrorCode::kMemslotAddressSpace},
    {"hva", [](auto& r) { r.hva += 1; }, ErrorCode::kMemslotHva},
    {"gpa", [](auto& r) { r.gpa |= 1; }, ErrorCode::kMemslotGpa},
    {"size", [](auto& r) { r.bytes |= 1; }, ErrorCode::kMemslotSize},
    {"flags", [](auto& r) { r.flags = 4; }, ErrorCode::kMemslotFlags},
    {"id", [](auto& r) { r.slot |= 32764; }, ErrorCode::kMemslotId},
};

}  // namespace

TEST_CASE("of several mistakes the one that KVM checks first is reported") {
  const auto machine = world::vm();
  mmu::MemslotRegion region = good();
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    row.spoil(region);
    CHECK(refusal(*machine, region) == row.expected);
  }
  CHECK(machine->memslots().empty());
  CHECK(machine->generation(0) == 0);
}

TEST_CASE("the size limit is 2^31 - 1 pages and comes before a missing slot") {
  const auto machine = world::vm();
  mmu::MemslotRegion region = good();
  region.bytes = mmu::bit(31) * mmu::kPageSize;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotTooLarge);
  region.bytes -= mmu::kPageSize;
  CHECK(machine->set_memslot(region));
  region = good();
  region.slot = 7;
  region.bytes = 0;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotMissing);
}

TEST_CASE("generations step by two, twice for a delete or a move") {
  const auto machine = world::vm();
  CHECK(machine->generation(1) == 1);
  mmu::MemslotRegion region = good();
  REQUIRE(machine->set_memslot(region));
  CHECK(machine->generation(0) == 2);
  REQUIRE(machine->set_memslot(region));  // nothing changes
  CHECK(machine->generation(0) == 2);
  region.flags = mmu::MemslotRegion::kLogDirty;
  REQUIRE(machine->set_memslot(region));
  CHECK(machine->generation(0) == 4);
  region.gpa = kGiB;
  REQUIRE(machine->set_memslot(region));
  CHECK(machine->generation(0) == 8);
  region.bytes = 0;
  REQUIRE(machine->set_memslot(region));
  CHECK(machine->generation(0) == 12);
  CHECK(machine->generation(1) == 1);
}

TEST_CASE("an overlap is refused before anything is touched") {
  const auto machine = world::vm();
  world::add(*machine, {.id = 1, .bytes = kMiB});
  world::add(*machine, {.id = 2, .gpa = kMiB, .bytes = kMiB});
  world::access(*machine, 0);
  mmu::MemslotRegion region = good();
  region.slot = 2;
  region.hva += kMiB;
  region.gpa = kMiB - mmu::kPageSize;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotOverlap);
  CHECK(machine->leaves(false).size() == 1);
  CHECK(machine->generation(0) == 4);
}

TEST_CASE("a move that fails late has lost its mappings but not the slot") {
  const auto machine = world::vm({.address_bits = 40, .host_maxphyaddr = 40});
  world::add(*machine, {.bytes = kMiB});
  world::access(*machine, 0);
  mmu::MemslotRegion region = good();
  region.gpa = mmu::bit(40) - kMiB + mmu::kPageSize;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotBeyondMax);
  CHECK(machine->leaves(false).empty());
  CHECK(machine->generation(0) == 6);
  CHECK(machine->memslots()[0].gpa == 0);
}

TEST_CASE("a slot may end at the last mappable page and not one later") {
  const auto machine = world::vm({.address_bits = 40, .host_maxphyaddr = 40});
  mmu::MemslotRegion region = good();
  region.gpa = mmu::bit(40) - kMiB + mmu::kPageSize;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotBeyondMax);
  CHECK(machine->generation(0) == 0);
  region.gpa -= mmu::kPageSize;
  CHECK(machine->set_memslot(region));
  CHECK(world::access(*machine, mmu::bit(40) - 1).code ==
        mmu::OutcomeCode::kFixed);
}

TEST_CASE("size, host memory and the read-only flag of a slot are fixed") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB});
  mmu::MemslotRegion region = good();
  region.flags = mmu::MemslotRegion::kReadonly;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotImmutable);
  region = good();
  region.bytes += mmu::kPageSize;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotImmutable);
  region = good();
  region.hva += mmu::kPageSize;
  CHECK(refusal(*machine, region) == ErrorCode::kMemslotImmutable);
}

TEST_CASE("a move keeps the dirty pages by their place in the slot") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB, .flags = mmu::MemslotRegion::kLogDirty});
  world::access(*machine, 0x5000);
  mmu::MemslotRegion region = good();
  region.flags = mmu::MemslotRegion::kLogDirty;
  region.gpa = kGiB;
  REQUIRE(machine->set_memslot(region));
  const auto log = machine->dirty_log(0, false);
  REQUIRE(log);
  CHECK(log.value()[0] == mmu::bit(5));
}

TEST_CASE("every page of 500 slots finds its own slot and no other") {
  const auto machine = world::vm();
  for (std::uint32_t id = 0; id < 500; ++id) {
    world::add(*machine, {.id = id,
                          .gpa = id * 3 * mmu::kPageSize,
                          .bytes = 2 * mmu::kPageSize});
  }
  for (std::uint64_t page = 0; page < 1500; ++page) {
    const auto code = world::access(*machine, page * mmu::kPageSize).code;
    CHECK(code == (page % 3 == 2 ? mmu::OutcomeCode::kEmulate
                                 : mmu::OutcomeCode::kFixed));
  }
}

TEST_CASE("when the generation comes round every MMIO entry goes") {
  const auto machine = world::vm();
  mmu::MemslotRegion region = good();
  REQUIRE(machine->set_memslot(region));
  world::access(*machine, 0xfee00000);
  while (machine->generation(0) % mmu::bit(19) != mmu::bit(19) - 2) {
    region.flags ^= mmu::MemslotRegion::kLogDirty;
    REQUIRE(machine->set_memslot(region));
  }
  CHECK(machine->leaves(true).size() == 1);
  region.flags ^= mmu::MemslotRegion::kLogDirty;
  REQUIRE(machine->set_memslot(region));
  CHECK(machine->leaves(true).empty());
}

TEST_CASE("a backing that is no page size is refused and changes nothing") {
  const auto machine = world::vm();
  for (const unsigned level : {0u, 4u, 255u}) {
    mmu::MemslotRegion region = good();
    region.backing = static_cast<std::uint8_t>(level);
    CHECK(refusal(*machine, region) == ErrorCode::kConfig);
  }
  CHECK(machine->memslots().empty());
}

TEST_CASE("one slot can be asked for by its number and address space") {
  const auto machine = world::vm();
  world::add(*machine, {.id = 7, .bytes = kMiB});
  CHECK(machine->memslot(7)->bytes == kMiB);
  CHECK_FALSE(machine->memslot(6));
  CHECK_FALSE(machine->memslot(1u << 16 | 7));
  CHECK_FALSE(machine->memslot(2u << 16 | 7));
}
