// The checklist's rows on invalidations: what a fault does while one is open,
// and after one has come and gone.
#include "fault_world.hpp"

using mmu::EventKind;
using mmu::HostState;
using mmu::InvalidationView;
using mmu::Machine;
using mmu::OutcomeCode;
using world::kA;
using world::kBothFlavours;
using world::kPage;
using world::Setup;

namespace {

std::unique_ptr<Machine> a_vm(mmu::Flavour flavour = mmu::Flavour::kTdp) {
  auto machine = world::vm(mmu::MachineConfig{.mmu = flavour});
  world::add(*machine, {.gpa = kA, .bytes = 64 * kPage});
  return machine;
}

std::string text(const InvalidationView& view) {
  std::ostringstream out;
  out << view.in_progress << " open over " << std::hex << view.start << "-"
      << view.end << ", " << view.sequence << " over";
  return out.str();
}

}  // namespace

TEST_CASE("B39: an open invalidation of the frame has a fault retry") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm(flavour);
    world::access(*machine, kA + 32 * kPage);
    world::begin(*machine, kA, 2 * kPage);
    // Before the host is asked: it would say EFAULT.
    world::host(*machine, kA, kPage, HostState::kNone);
    const std::string before = world::dump(*machine, false);
    const std::string counted = world::counted_by(*machine, [&] {
      for (const std::uint64_t gpa : {kA, kA + kPage}) {
        const mmu::Outcome out = world::access(*machine, gpa);
        CHECK(out.code == OutcomeCode::kRetry);
        CHECK(out.sptes_changed == 0);
        CHECK(out.level == 0);
      }
    });
    CHECK(counted == "pf_taken 2");
    CHECK(world::dump(*machine, false) == before);
    world::end(*machine, kA, 2 * kPage);
    CHECK(world::access(*machine, kA + kPage).code == OutcomeCode::kFixed);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kError);
  }
}

TEST_CASE("B40: an invalidation that came and went has any fault retry") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm(flavour);
    world::access(*machine, kA + 32 * kPage);
    unsigned calls = 0;
    machine->set_interleave([&](Machine& others) {
      if (++calls != 1) return;
      world::begin(others, kA + 40 * kPage);
      world::end(others, kA + 40 * kPage);
    });
    const mmu::Outcome first = world::access(*machine, kA);
    CHECK(first.code == OutcomeCode::kRetry);
    CHECK(first.sptes_changed == 0);
    CHECK(!world::is_mapped(*machine, kA));
    CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
    CHECK(calls == 2);
  }
}

TEST_CASE("B40: a page that the host took back meanwhile is not mapped") {
  const auto machine = a_vm();
  machine->set_interleave([](Machine& others) {
    world::unmap_host(others, kA);
    world::host(others, kA, kPage, HostState::kNone);
  });
  CHECK(world::access(*machine, kA).code == OutcomeCode::kRetry);
  machine->set_interleave(nullptr);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kError);
}

TEST_CASE("B41: an invalidation of other frames that is open lets a fault go") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm(flavour);
    machine->set_interleave([](Machine& others) {
      if (others.invalidation().in_progress == 0) {
        world::begin(others, kA + 40 * kPage);
      }
    });
    CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
    CHECK(machine->invalidation().in_progress == 1);
    CHECK(world::access(*machine, kA + 40 * kPage).code == OutcomeCode::kRetry);
  }
}

TEST_CASE("B42: a hole is mapped as one whatever the host invalidates") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm(flavour);
    machine->set_interleave(
        [](Machine& others) { world::unmap_host(others, kA); });
    const mmu::Outcome out = world::access(*machine, 0xfee00000);
    CHECK(out.code == OutcomeCode::kEmulate);
    CHECK((world::entry_at(*machine, 0xfee00000) & 7) == 6);
    CHECK(machine->invalidation().sequence == 1);
  }
}

TEST_CASE("a root that goes while a fault is on its way has it retry") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm(flavour);
    world::access(*machine, kA + 32 * kPage);
    for (const std::uint64_t gpa : {kA, std::uint64_t{0xfee00000}}) {
      machine->set_interleave([](Machine& others) {
        world::operate(others, EventKind::kZapAllFast);
      });
      const mmu::Outcome out = world::access(*machine, gpa);
      CHECK(out.code == OutcomeCode::kRetry);
      CHECK(out.sptes_changed == 0);
      machine->set_interleave(nullptr);
      CHECK(world::access(*machine, gpa).code != OutcomeCode::kRetry);
    }
    world::check_accounts(*machine);
  }
}

TEST_CASE("a slot that goes while a fault is on its way has it retry") {
  const auto machine = a_vm();
  machine->set_interleave([](Machine& others) {
    mmu::MemslotRegion gone = world::Slot{.gpa = kA}.region();
    REQUIRE(others.set_memslot(gone));
  });
  CHECK(world::access(*machine, kA).code == OutcomeCode::kRetry);
  machine->set_interleave(nullptr);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kEmulate);
}

TEST_CASE("others' events while a fault is on its way are not the fault's") {
  const auto machine = a_vm();
  world::access(*machine, kA + 40 * kPage);
  machine->set_interleave([](Machine& others) {
    const mmu::Outcome theirs = world::access(others, kA + 2 * kPage);
    CHECK(theirs.code == OutcomeCode::kFixed);
    CHECK(theirs.sptes_changed == 1);
    CHECK(world::zap(others, kA + 40 * kPage).flush == 2);
  });
  // The zap is an invalidation.
  const mmu::Outcome out = world::access(*machine, kA);
  CHECK(out.code == OutcomeCode::kRetry);
  CHECK(out.sptes_changed == 0);
  CHECK(out.flush == 0);
  CHECK(world::is_mapped(*machine, kA + 2 * kPage));
}

TEST_CASE("open invalidations add up to one range, until the last is closed") {
  const auto machine = a_vm();
  world::begin(*machine, kA + 2 * kPage);
  world::begin(*machine, kA + 8 * kPage, 2 * kPage);
  CHECK(text(machine->invalidation()) == "2 open over 102-10a, 0 over");
  CHECK(world::access(*machine, kA + 5 * kPage).code == OutcomeCode::kRetry);
  world::end(*machine, kA + 8 * kPage, 2 * kPage);
  CHECK(text(machine->invalidation()) == "1 open over 102-10a, 1 over");
  CHECK(world::access(*machine, kA + 9 * kPage).code == OutcomeCode::kRetry);
  world::end(*machine, kA + 2 * kPage);
  CHECK(world::access(*machine, kA + 9 * kPage).code == OutcomeCode::kFixed);
  world::begin(*machine, kA);
  CHECK(text(machine->invalidation()) == "1 open over 100-101, 2 over");
}

TEST_CASE("an invalidation where no slot stands moves nothing but its count") {
  const auto machine = a_vm();
  world::begin(*machine, mmu::bit(35));
  CHECK(text(machine->invalidation()) == "0 open over 0-0, 0 over");
  mmu::MemslotRegion more = world::Slot{.id = 1, .bytes = kPage}.region();
  CHECK(!machine->set_memslot(more));
  world::end(*machine, mmu::bit(35));
  CHECK(text(machine->invalidation()) == "0 open over 0-0, 0 over");
  CHECK(machine->set_memslot(more));
  // One that nobody opened.
  world::end(*machine, kA);
  CHECK(text(machine->invalidation()) == "0 open over 0-0, 0 over");
}

TEST_CASE("a host unmap and a zap are an invalidation each, and so is over") {
  const auto machine = a_vm();
  world::unmap_host(*machine, kA);
  CHECK(machine->invalidation().sequence == 1);
  world::unmap_host(*machine, mmu::bit(35));
  CHECK(machine->invalidation().sequence == 1);
  world::zap(*machine, 0);
  CHECK(machine->invalidation().sequence == 2);
  CHECK(machine->invalidation().in_progress == 0);
}

TEST_CASE("an open invalidation zaps and flushes as a host unmap does") {
  for (const auto flavour : kBothFlavours) {
    const auto machine = a_vm(flavour);
    world::access(*machine, kA);
    const mmu::Outcome out = world::begin(*machine, kA);
    CHECK(out.sptes_changed == 1);
    CHECK(out.flush == 2);
    CHECK(world::end(*machine, kA).flush == 0);
  }
}

TEST_CASE(
    "B18: a conversion is one invalidation, B36: none if it changes none") {
  const auto machine = world::vm(Setup{"mirror", mmu::Flavour::kTdp, "tdx47"});
  world::add(*machine, {.gpa = kA, .bytes = 4 * kPage});
  world::convert(*machine, kA, kPage, true);
  CHECK(machine->invalidation().sequence == 0);
  world::share(*machine, kA);
  CHECK(machine->invalidation().sequence == 1);
  world::convert(*machine, kA, 2 * kPage, true);
  CHECK(machine->invalidation().sequence == 2);
  // Where no slot is, the attribute is stored, and that is all.
  world::convert(*machine, mmu::bit(35), kPage, true);
  CHECK(machine->is_private(mmu::bit(35)).value());
  CHECK(machine->invalidation().sequence == 2);
}

TEST_CASE("a conversion widens its range to the huge pages that it breaks") {
  const auto machine = world::vm(Setup{"mirror", mmu::Flavour::kTdp, "tdx47"});
  world::add(*machine, {.bytes = 8 * world::kMiB});
  world::share(*machine, world::kMiB);
  CHECK(text(machine->invalidation()) == "0 open over 0-200, 1 over");
  // That page is mixed already, the next one is not.
  world::share(*machine, world::kMiB + kPage, world::kMiB);
  CHECK(text(machine->invalidation()) == "0 open over 101-400, 2 over");
}

TEST_CASE("the slots cannot change while the host takes memory back") {
  const auto machine = a_vm();
  world::begin(*machine, kA);
  const std::string before = world::dump(*machine);
  mmu::MemslotRegion region = world::Slot{.gpa = kA}.region();
  const auto code = [&](const mmu::MemslotRegion& wanted) {
    const auto done = machine->set_memslot(wanted);
    return done ? std::string("done")
                : std::string(mmu::info(done.error().code).name);
  };
  CHECK(code(region) == "ERR_BUSY");  // delete
  region.bytes = 64 * kPage;
  CHECK(code(region) == "done");  // nothing to change
  region.flags = mmu::MemslotRegion::kLogDirty;
  CHECK(code(region) == "ERR_BUSY");
  region.flags = 0;
  region.gpa = kA + 512 * kPage;
  CHECK(code(region) == "ERR_BUSY");  // move
  const mmu::MemslotRegion create =
      world::Slot{.id = 1, .bytes = kPage}.region();
  CHECK(code(create) == "ERR_BUSY");
  // What is wrong in itself is said first.
  mmu::MemslotRegion bad = create;
  bad.gpa = kA;
  CHECK(code(bad) == "ERR_MEMSLOT_OVERLAP");
  bad = create;
  bad.gpa = std::uint64_t{1} << 48;
  CHECK(code(bad) == "ERR_MEMSLOT_BEYOND_MAX");
  for (const EventKind kind :
       {EventKind::kDirtyLogEnable, EventKind::kDirtyLogDisable}) {
    CHECK(world::operate(*machine, kind).code == OutcomeCode::kError);
  }
  CHECK(world::dump(*machine) == before);
  world::end(*machine, kA);
  CHECK(code(create) == "done");
  CHECK(world::operate(*machine, EventKind::kDirtyLogEnable).code ==
        OutcomeCode::kDone);
}

TEST_CASE("first touches in one batch see the window between them") {
  const auto machine = a_vm();
  world::access(*machine, kA);
  const double gpa[] = {double(kA + kPage), double(world::kHvaBase + kA),
                        double(kA + 2 * kPage), double(world::kHvaBase + kA),
                        double(kA + 2 * kPage)};
  const double bytes[] = {0, 64.0 * kPage, 0, 64.0 * kPage, 0};
  const std::uint16_t vcpu[5] = {};
  const std::uint8_t kind[] = {0, std::uint8_t(EventKind::kHvaBegin), 0,
                               std::uint8_t(EventKind::kHvaEnd), 0};
  const std::uint8_t access[] = {2, 0, 2, 0, 2};
  std::uint32_t changed[5] = {};
  std::uint32_t pages[5] = {};
  std::uint8_t code[5] = {};
  std::uint8_t level[5] = {};
  std::uint8_t read[5] = {};
  std::uint8_t flush[5] = {};
  mmu::RunControl control;
  const auto result =
      machine->run({gpa, bytes, nullptr, vcpu, kind, access, 5},
                   {changed, pages, code, level, read, flush}, control);
  REQUIRE(!result.failed);
  CHECK(code[0] == std::uint8_t(OutcomeCode::kFixed));
  CHECK(code[2] == std::uint8_t(OutcomeCode::kRetry));
  CHECK(code[4] == std::uint8_t(OutcomeCode::kFixed));
}
