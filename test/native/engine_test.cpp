#include <random>

#include "world.hpp"

using mmu::EventKind;
using mmu::OutcomeCode;
using world::kGiB;
using world::kMiB;

namespace {

struct Batch {
  std::vector<double> gpa, bytes;
  std::vector<std::uint16_t> vcpu;
  std::vector<std::uint8_t> kind, access;

  void push(EventKind event, std::uint64_t at, std::uint64_t length,
            std::uint8_t wanted) {
    gpa.push_back(static_cast<double>(at));
    bytes.push_back(static_cast<double>(length));
    vcpu.push_back(0);
    kind.push_back(static_cast<std::uint8_t>(event));
    access.push_back(wanted);
  }
};

struct Outcomes {
  std::vector<std::uint32_t> sptes, pages;
  std::vector<std::uint8_t> code, level, tables, flush;

  explicit Outcomes(std::size_t rows)
      : sptes(rows),
        pages(rows),
        code(rows),
        level(rows),
        tables(rows),
        flush(rows) {}

  mmu::OutcomeColumns columns() {
    return {sptes.data(), pages.data(),  code.data(),
            level.data(), tables.data(), flush.data()};
  }
};

using Row = std::array<unsigned, 6>;

std::vector<Row> run(mmu::Machine& machine, const Batch& batch,
                     std::size_t size) {
  std::vector<Row> rows;
  const std::size_t all = batch.gpa.size();
  Outcomes out(size);
  mmu::RunControl control;
  for (std::size_t at = 0; at < all; at += size) {
    const std::size_t count = std::min(size, all - at);
    const mmu::RunResult result =
        machine.run({&batch.gpa[at], &batch.bytes[at], nullptr, &batch.vcpu[at],
                     &batch.kind[at], &batch.access[at], count},
                    out.columns(), control);
    REQUIRE_FALSE(result.failed);
    for (std::size_t i = 0; i < count; ++i) {
      rows.push_back({out.sptes[i], out.pages[i], out.code[i], out.level[i],
                      out.tables[i], out.flush[i]});
    }
  }
  return rows;
}

// Few tables, so that they fill up, split, are zapped and grow again.
Batch random_batch(std::uint32_t seed) {
  std::mt19937 random(seed);
  Batch batch;
  for (int i = 0; i < 3000; ++i) {
    const std::uint64_t page = random() % 3 * 512 + random() % 40;
    const std::uint64_t gpa = page * mmu::kPageSize;
    switch (random() % 60) {
      case 0:
        batch.push(EventKind::kZapAllFast, 0, 0, 0);
        break;
      case 1:
        batch.push(EventKind::kZap, gpa, 0x9000, 0);
        break;
      case 2:
        batch.push(EventKind::kDirtyLogGet, 0, 0, 0);
        break;
      case 3:
        batch.push(random() % 2 ? EventKind::kDirtyLogEnable
                                : EventKind::kDirtyLogDisable,
                   0, 0, 0);
        break;
      default:
        batch.push(EventKind::kAccess, gpa, 0,
                   static_cast<std::uint8_t>(random() % 7 + 1));
    }
  }
  return batch;
}

std::unique_ptr<mmu::Machine> small_world(std::uint8_t backing) {
  auto machine = world::vm();
  world::add(*machine, {.id = 0, .bytes = 5 * kMiB, .backing = backing});
  world::add(*machine, {.id = 1,
                        .gpa = 5 * kMiB,
                        .bytes = 1 * kMiB,
                        .flags = mmu::MemslotRegion::kReadonly});
  return machine;
}

}  // namespace

TEST_CASE("walking ahead in groups changes no outcome") {
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const std::uint8_t backing = seed % 2 + 1;
    const Batch batch = random_batch(seed);
    const auto one = small_world(backing);
    const auto many = small_world(backing);
    const auto alone = run(*one, batch, 1);
    const auto grouped = run(*many, batch, 1000);
    const auto differ =
        std::mismatch(alone.begin(), alone.end(), grouped.begin());
    CAPTURE(differ.first - alone.begin());
    REQUIRE(differ.first == alone.end());
    CHECK(world::stats(*one) == world::stats(*many));
    world::check_accounts(*many);
  }
}

TEST_CASE("a bad row is named and nothing before it is applied") {
  const auto machine = small_world(1);
  struct Case {
    double gpa, bytes;
    EventKind kind;
    std::uint8_t access;
    std::uint16_t vcpu;
  };
  const Case cases[] = {
      {0.5, 0, EventKind::kAccess, 1, 0},
      {-1, 0, EventKind::kAccess, 1, 0},
      {0x1p48, 0, EventKind::kAccess, 1, 0},
      {std::numeric_limits<double>::quiet_NaN(), 0, EventKind::kAccess, 1, 0},
      {std::numeric_limits<double>::infinity(), 0, EventKind::kAccess, 1, 0},
      {0, 0, EventKind::kAccess, 0, 0},
      {0, 0, EventKind::kAccess, 8, 0},
      {0, 0, EventKind::kAccess, 1, 1},
      {0, 0, static_cast<EventKind>(9), 1, 0},
      {0x800, 0x1000, EventKind::kZap, 0, 0},
      {0, 0, EventKind::kZap, 0, 0},
      {0, 0, EventKind::kHvaInvalidate, 0, 0},
      {0x800, 0x1000, EventKind::kHvaInvalidate, 0, 0},
      {0, 0, EventKind::kAttributes, 1, 0},
      {0, 0x1000, EventKind::kAttributes, 4, 0},
      {0x1000, 0x1p48, EventKind::kZap, 0, 0},
      {std::numeric_limits<double>::quiet_NaN(), 0, EventKind::kEnd, 0, 0},
  };
  for (const Case& bad : cases) {
    Batch batch;
    for (int i = 0; i < 300; ++i) {
      batch.push(EventKind::kAccess, 0x1000u * i, 0, 1);
    }
    batch.gpa[290] = bad.gpa;
    batch.bytes[290] = bad.bytes;
    batch.kind[290] = static_cast<std::uint8_t>(bad.kind);
    batch.access[290] = bad.access;
    batch.vcpu[290] = bad.vcpu;
    Outcomes out(300);
    mmu::RunControl control;
    const mmu::RunResult result = machine->run(
        {batch.gpa.data(), batch.bytes.data(), nullptr, batch.vcpu.data(),
         batch.kind.data(), batch.access.data(), 300},
        out.columns(), control);
    CAPTURE(bad.gpa);
    REQUIRE(result.failed);
    CHECK(result.applied == 0);
    CHECK(result.error.code == mmu::ErrorCode::kEvent);
    CHECK(result.error.values[0].value == 290);
    CHECK(machine->leaves(true).empty());
  }
}

TEST_CASE("out of memory fails one event whole, and a zap makes room again") {
  const auto machine = world::vm({.arena_bytes = 2 * kMiB});
  world::add(*machine, {.bytes = 4096 * kGiB});
  std::uint64_t touched = 0;
  mmu::Result<mmu::Outcome> last = mmu::Outcome{};
  while (true) {
    last = machine->step({.access = 2, .gpa = touched * kGiB / 16});
    if (!last) break;
    ++touched;
  }
  CHECK(last.error().code == mmu::ErrorCode::kOutOfMemory);
  CHECK(touched > 400);
  const auto before = world::stats(*machine);
  CHECK(before.at("pf_taken") == touched);
  CHECK(before.at("pages_4k") == touched);
  CHECK(world::access(*machine, 0).code == OutcomeCode::kHit);
  world::operate(*machine, EventKind::kZapAllFast);
  CHECK(world::access(*machine, 0).code == OutcomeCode::kFixed);
}

TEST_CASE("eager splitting stops where memory ends, and faults go on") {
  const auto machine = world::vm({.arena_bytes = 2 * kMiB});
  world::add(*machine, {.bytes = 2 * kGiB, .backing = 3});
  world::access(*machine, 0);
  world::access(*machine, kGiB);
  world::operate(*machine, EventKind::kDirtyLogEnable);
  world::check_accounts(*machine);
  CHECK(world::stats(*machine)["pages_2m"] > 0);
  CHECK(world::access(*machine, 0).level == 1);
}

TEST_CASE("a run that is told to stop says how far it came") {
  const auto machine = small_world(1);
  Batch batch;
  for (int i = 0; i < 5000; ++i) batch.push(EventKind::kAccess, 0, 0, 1);
  Outcomes out(5000);
  mmu::RunControl control;
  control.stop = true;
  const mmu::RunResult result = machine->run(
      {batch.gpa.data(), batch.bytes.data(), nullptr, batch.vcpu.data(),
       batch.kind.data(), batch.access.data(), 5000},
      out.columns(), control);
  CHECK(result.failed);
  CHECK(result.error.code == mmu::ErrorCode::kAborted);
  CHECK(result.applied == 0);
}

TEST_CASE("a configuration out of bounds names the option and the bounds") {
  const mmu::MachineConfig bad[] = {
      {.address_bits = 53, .root_level = 5, .host_maxphyaddr = 52},
      {.address_bits = 49, .root_level = 4, .host_maxphyaddr = 49},
      {.address_bits = 48, .root_level = 6},
      {.address_bits = 48, .host_maxphyaddr = 46},
      {.vcpus = 65537},
      {.arena_bytes = 0},
  };
  const char* names[] = {"addressBits",    "rootLevel", "rootLevel",
                         "hostMaxphyaddr", "vcpus",     "arenaBytes"};
  for (std::size_t i = 0; i < std::size(bad); ++i) {
    const auto made = mmu::make_machine(bad[i]);
    REQUIRE(!made);
    CHECK(made.error().code == mmu::ErrorCode::kConfig);
    CHECK(made.error().message().starts_with(names[i]));
  }
  const auto made = mmu::make_machine({.strategy = "nope"});
  REQUIRE(!made);
  CHECK(made.error().code == mmu::ErrorCode::kUnknownStrategy);
}

TEST_CASE("an error that ran out of memory says how much there was") {
  const auto machine = world::vm({.arena_bytes = 2 * kMiB});
  world::add(*machine, {.bytes = 4096 * kGiB});
  mmu::Result<mmu::Outcome> last = mmu::Outcome{};
  for (std::uint64_t i = 0; last; ++i) {
    last = machine->step({.access = 2, .gpa = i * kGiB / 16});
  }
  const std::string message = last.error().message();
  CHECK(message.ends_with("bytes of at most 2097152"));
  CHECK(message.find('?') == std::string::npos);
}
