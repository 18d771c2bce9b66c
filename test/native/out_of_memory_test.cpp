// Memory that runs out at the first allocation of an operation, at the second,
// at the third and so on, until none is left to fail: each time the operation
// says so and has changed nothing, and afterwards it can be done.
#include "scarce_world.hpp"

using namespace scarce;  // NOLINT: the operations' own vocabulary
using failing_memory::FailsAt;

namespace {

// How many allocations the operation makes in this world, each of which has
// failed once.
std::uint64_t fail_each(const World& world, const Operation& operation) {
  for (std::uint64_t k = 1;; ++k) {
    CAPTURE(k);
    const std::uint64_t before_all = failing_memory::live();
    bool failed = false;
    {
      const auto machine = make(world);
      const std::string before = all_of(*machine);
      Came came{};
      {
        const FailsAt limit(k);
        came = attempt(operation.act, *machine);
        failed = limit.failed();
      }
      if (came == Came::kNoMemory) {
        CHECK(failed);
        CHECK(all_of(*machine) == before);
        CHECK(attempt(operation.act, *machine) != Came::kNoMemory);
      }
      world::check_accounts(*machine);
    }
    CHECK(failing_memory::live() == before_all);
    if (!failed) return k - 1;
    REQUIRE(k < 1000);
  }
}

}  // namespace

TEST_CASE("an operation without memory has changed nothing, and says so") {
  std::uint64_t failures = 0;
  for (const World& world : worlds()) {
    CAPTURE(std::string(world.name));
    for (const Operation& operation : operations()) {
      CAPTURE(std::string(operation.name));
      failures += fail_each(world, operation);
    }
  }
  CHECK(failures > 1000);
}

namespace {

// Accesses and operations on pages that nobody has used yet.
struct Batch {
  static constexpr std::size_t kRows = 12;

  explicit Batch(std::size_t rows) : count(rows) {
    for (std::size_t i = 0; i < kRows; ++i) gpa[i] = double(i * kMiB);
    kind[3] = std::uint8_t(EventKind::kWriteTrackAdd);
    kind[7] = std::uint8_t(EventKind::kAttributes);
    bytes[3] = bytes[7] = 2 * kPage;
    access[3] = access[7] = 0;
  }
  mmu::RunResult run(Machine& machine) {
    mmu::RunControl control;
    return machine.run({gpa, bytes, nullptr, vcpu, kind, access, count},
                       {changed, pages, code, level, read, flush}, control);
  }

  std::size_t count;
  double gpa[kRows];
  double bytes[kRows] = {};
  std::uint16_t vcpu[kRows] = {};
  std::uint8_t kind[kRows] = {};
  std::uint8_t access[kRows] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
  std::uint32_t changed[kRows] = {};
  std::uint32_t pages[kRows] = {};
  std::uint8_t code[kRows] = {};
  std::uint8_t level[kRows] = {};
  std::uint8_t read[kRows] = {};
  std::uint8_t flush[kRows] = {};
};

}  // namespace

TEST_CASE("a batch without memory ends behind the last row that was applied") {
  MachineConfig config = with("precise", Flavour::kRmap, "tdx47");
  config.convert_on_exit = true;
  const World world{"precise", config};
  std::string ends;
  for (std::uint64_t k = 1;; ++k) {
    CAPTURE(k);
    const auto machine = make(world);
    Batch batch(Batch::kRows);
    mmu::RunResult result;
    bool failed = false;
    {
      const FailsAt limit(k);
      result = batch.run(*machine);
      failed = limit.failed();
    }
    if (!failed) break;
    REQUIRE(result.failed);
    CHECK(result.error.code == mmu::ErrorCode::kOutOfMemory);
    ends += std::to_string(result.applied) + ' ';
    const auto other = make(world);
    Batch part(result.applied);
    REQUIRE(!part.run(*other).failed);
    CHECK(all_of(*machine) == all_of(*other));
  }
  // In the watched page's row, and in that of the attributes.
  CHECK(ends.starts_with("3 3 7 "));
}

TEST_CASE("an operation without room for tables has changed nothing either") {
  for (const World& world : worlds()) {
    const std::string name = world.name;
    if (name != "tdp" && name != "rmap" && name != "mirror") continue;
    CAPTURE(name);
    World small = world;
    small.config.arena_bytes = 2 * kMiB;
    for (const Operation& operation : operations()) {
      CAPTURE(std::string(operation.name));
      const auto machine = make(small);
      REQUIRE(machine->set_mmu_pages(1 << 20));
      world::add(*machine,
                 {.id = 5, .gpa = mmu::bit(36), .bytes = mmu::bit(36)});
      for (std::uint64_t at = mmu::bit(36);; at += 2 * kMiB) {
        if (step(*machine, {.access = 2, .gpa = at}) == Came::kNoMemory) break;
      }
      const std::string before = all_of(*machine);
      if (attempt(operation.act, *machine) == Came::kNoMemory) {
        CHECK(all_of(*machine) == before);
      }
      // Shadow pages that lost their parents keep their leaves.
      if (name != "rmap") world::check_accounts(*machine);
    }
  }
}

TEST_CASE("a VM that there is no memory for is refused, and leaves nothing") {
  for (const World& world : worlds()) {
    CAPTURE(std::string(world.name));
    for (std::uint64_t k = 1;; ++k) {
      const std::uint64_t before = failing_memory::live();
      bool failed = false;
      bool made = false;
      {
        const FailsAt limit(k);
        try {
          made = bool(mmu::make_machine(world.config));
        } catch (const std::bad_alloc&) {
        }
        failed = limit.failed();
      }
      CHECK(made == !failed);
      CHECK(failing_memory::live() == before);
      if (!failed) break;
      REQUIRE(k < 1000);
    }
  }
}
