// The checklist's rows on dirty logs.
#include "slot_world.hpp"

using mmu::ErrorCode;
using mmu::EventKind;
using mmu::Flavour;
using mmu::MemslotRegion;
using mmu::OutcomeCode;
using world::Flushed;
using world::kGiB;
using world::kLogged;
using world::kMiB;
using world::kPage;

namespace {

constexpr std::uint64_t kAll = ~std::uint64_t{0};

std::string text(const Flushed& flushed) { return world::to_text(flushed); }

const std::string kFlush = text({.full = 1});
const std::string kNoFlush = text({});

std::string set(mmu::Machine& machine, const world::Slot& slot) {
  return text(world::flushed_by(machine, [&] { world::add(machine, slot); }));
}

mmu::Result<mmu::Outcome> clear(mmu::Machine& machine, std::uint64_t first,
                                std::uint32_t pages,
                                std::vector<std::uint64_t> bitmap,
                                std::uint32_t slot = 0) {
  return machine.clear_dirty_log({slot, first, pages}, bitmap);
}

std::string clear_error(mmu::Machine& machine, std::uint64_t first,
                        std::uint32_t pages, std::uint32_t slot = 0) {
  const std::vector<std::uint64_t> bitmap((pages + 63) / 64, kAll);
  const std::string before = world::dump(machine);
  const auto done = machine.clear_dirty_log({slot, first, pages}, bitmap);
  if (done) return "0";
  CHECK(world::dump(machine) == before);
  return std::string(mmu::info(done.error().code).errno_name);
}

}  // namespace

TEST_CASE("B69: logging switched on flushes, though nothing is mapped") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB});
  CHECK(set(*machine, {.bytes = kMiB, .flags = kLogged}) == kFlush);
  CHECK(set(*machine, {.bytes = kMiB}) == kNoFlush);
}

TEST_CASE(
    "B69: a read-only slot, and a slot made with logging, flush nothing") {
  const auto machine = world::vm();
  CHECK(set(*machine, {.bytes = kMiB, .flags = kLogged}) == kNoFlush);
  world::add(*machine,
             {.id = 1, .gpa = kGiB, .bytes = kMiB, .flags = world::kReadonly});
  CHECK(set(*machine, {.id = 1,
                       .gpa = kGiB,
                       .bytes = kMiB,
                       .flags = world::kReadonly | kLogged}) == kNoFlush);
}

TEST_CASE("B70: initially set, a log begins with every page and no flush") {
  const auto machine = world::vm();
  world::enable(*machine, world::kManualProtect, 3);
  world::add(*machine, {.bytes = 70 * kPage});
  world::access(*machine, 0);
  CHECK(set(*machine, {.bytes = 70 * kPage, .flags = kLogged}) == kNoFlush);
  // Nothing was protected either.
  CHECK(world::access(*machine, 0).code == OutcomeCode::kHit);
  const std::vector<std::uint64_t> expected{kAll, 0x3f};
  CHECK(world::log_of(*machine) == expected);
  CHECK(world::log_of(*machine) == expected);
}

TEST_CASE("B70: a slot made or moved with logging begins so too") {
  const auto machine = world::vm();
  world::enable(*machine, world::kManualProtect, 3);
  world::add(*machine, {.bytes = 3 * kPage, .flags = kLogged});
  CHECK(world::log_of(*machine) == std::vector<std::uint64_t>{7});
  REQUIRE(clear(*machine, 0, 3, {2}));
  MemslotRegion moved =
      world::Slot{.bytes = 3 * kPage, .flags = kLogged}.region();
  moved.gpa = kGiB;
  REQUIRE(machine->set_memslot(moved));
  CHECK(world::log_of(*machine) == std::vector<std::uint64_t>{5});
  world::add(*machine, {.id = 1, .gpa = kMiB, .bytes = 2 * kPage});
  moved =
      world::Slot{.id = 1, .gpa = kMiB, .bytes = 2 * kPage, .flags = kLogged}
          .region();
  moved.gpa = 2 * kMiB;
  REQUIRE(machine->set_memslot(moved));
  CHECK(world::log_of(*machine, 1) == std::vector<std::uint64_t>{3});
}

TEST_CASE(
    "B71: an empty log is read without a flush, a failed copy loses bits") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB, .flags = kLogged});
  CHECK(text(world::flushed_by(*machine, [&] { world::log_of(*machine); })) ==
        kNoFlush);
  world::access(*machine, 0x3000);
  const auto lose = [&] {
    const auto failed = machine->dirty_log(0, false, true);
    REQUIRE(!failed);
    CHECK(failed.error().code == ErrorCode::kCopy);
    CHECK(mmu::info(failed.error().code).errno_name == "EFAULT");
  };
  CHECK(text(world::flushed_by(*machine, lose)) == kFlush);
  CHECK(world::log_of(*machine)[0] == 0);
  CHECK(world::access(*machine, 0x3000).code == OutcomeCode::kFixed);
}

TEST_CASE("B71: in manual mode a read clears nothing, whether copied or not") {
  const auto machine = world::vm();
  world::enable(*machine, world::kManualProtect, 1);
  world::add(*machine, {.bytes = kMiB, .flags = kLogged});
  world::access(*machine, 0x3000);
  const std::string before = world::dump(*machine);
  CHECK(!machine->dirty_log(0, false, true));
  CHECK(world::dump(*machine) == before);
  CHECK(world::log_of(*machine)[0] == 8);
  CHECK(world::log_of(*machine)[0] == 8);
  CHECK(world::access(*machine, 0x3000).code == OutcomeCode::kHit);
  const auto got = world::operate(*machine, EventKind::kDirtyLogGet);
  CHECK(got.flush == 0);
  CHECK(machine->dirty_rounds().rounds == 3);
  CHECK(machine->dirty_rounds().reaping == 0);
  CHECK(world::log_of(*machine)[0] == 8);
}

TEST_CASE("B72: what is clear already is neither re-armed nor flushed") {
  for (const Flavour flavour : {Flavour::kTdp, Flavour::kRmap}) {
    mmu::MachineConfig config;
    config.mmu = flavour;
    const auto machine = world::vm(config);
    world::add(*machine, {.bytes = kMiB, .flags = kLogged});
    world::access(*machine, 0x3000);
    world::access(*machine, 0x5000);
    const std::string before = world::dump(*machine);
    REQUIRE(clear(*machine, 0, 64, {kAll & ~std::uint64_t{0x28}}));
    CHECK(world::dump(*machine) == before);
    const auto cleared = clear(*machine, 0, 64, {0x0c});
    REQUIRE(cleared);
    CHECK(cleared.value().sptes_changed == 1);
    CHECK(cleared.value().flush == 2);
    CHECK(world::access(*machine, 0x5000).code == OutcomeCode::kHit);
    CHECK(world::access(*machine, 0x3000).code == OutcomeCode::kFixed);
  }
}

TEST_CASE("B73: what is to be cleared begins at a multiple of 64 pages") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB, .flags = kLogged});
  CHECK(clear_error(*machine, 32, 64) == "EINVAL");
  // Before anybody looks for the slot.
  CHECK(clear_error(*machine, 32, 64, 5) == "EINVAL");
  CHECK(clear_error(*machine, 64, 64, 5) == "ENOENT");
}

TEST_CASE("B74: only the tail of a slot may be no multiple of 64 pages") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = 70 * kPage, .flags = kLogged});
  world::access(*machine, 69 * kPage);
  CHECK(clear_error(*machine, 0, 69) == "EINVAL");
  CHECK(clear_error(*machine, 0, 71) == "EINVAL");
  CHECK(clear_error(*machine, 0, 128) == "EINVAL");
  CHECK(clear_error(*machine, 128, 0) == "EINVAL");
  CHECK(clear_error(*machine, mmu::bit(63), 64) == "EINVAL");
  CHECK(clear_error(*machine, 64, 5) == "EINVAL");
  CHECK(machine->memslot(0)->dirty_pages == 1);
  CHECK(clear_error(*machine, 64, 6) == "0");
  CHECK(machine->memslot(0)->dirty_pages == 0);
}

TEST_CASE("B74: a buffer that is too short fails and changes nothing") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = kMiB, .flags = kLogged});
  world::access(*machine, 0x3000);
  const std::string before = world::dump(*machine);
  const auto failed = clear(*machine, 0, 256, {kAll, kAll, kAll});
  REQUIRE(!failed);
  CHECK(failed.error().code == ErrorCode::kCopy);
  CHECK(world::dump(*machine) == before);
  // Nothing is read of it here.
  CHECK(clear(*machine, 0, 0, {}));
}

TEST_CASE("B74: both calls refuse a slot that there cannot be") {
  const auto machine = world::vm();
  const auto get = [&](std::uint32_t slot) {
    return std::string(
        mmu::info(machine->dirty_log(slot, false).error().code).errno_name);
  };
  CHECK(get(7) == "ENOENT");
  CHECK(get(1u << 16 | 7) == "ENOENT");
  for (const std::uint32_t slot : {32764u, 0xffffu, 2u << 16}) {
    CHECK(get(slot) == "EINVAL");
    CHECK(clear_error(*machine, 0, 64, slot) == "EINVAL");
  }
  world::add(*machine, {.bytes = kMiB});
  CHECK(get(0) == "ENOENT");
  CHECK(clear_error(*machine, 0, 64) == "ENOENT");
}

TEST_CASE("an event clears whole windows of 64 pages of each logged slot") {
  const auto machine = world::vm();
  world::add(*machine, {.bytes = 200 * kPage, .flags = kLogged});
  world::add(*machine, {.id = 1, .gpa = kGiB, .bytes = kMiB, .flags = kLogged});
  for (std::uint64_t page = 0; page < 200; ++page) {
    world::access(*machine, page * kPage);
  }
  world::access(*machine, kGiB);
  const auto cleared =
      world::operate(*machine, EventKind::kDirtyLogClear, 100 * kPage, kPage);
  CHECK(cleared.sptes_changed == 64);
  CHECK(cleared.flush == 2);
  CHECK(machine->memslot(0)->dirty_pages == 136);
  CHECK(machine->dirty_rounds().rounds == 0);
  world::operate(*machine, EventKind::kDirtyLogClear);
  CHECK(machine->memslot(0)->dirty_pages == 0);
  CHECK(machine->memslot(1)->dirty_pages == 0);
}
