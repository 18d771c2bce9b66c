// The checklist's rows on private memory, KVM's own slots, and bits that
// hardware or a threshold decides.
#include "alias_world.hpp"

using mmu::Flavour;
using mmu::Outcome;
using mmu::OutcomeCode;
using world::Flushed;
using world::kA;
using world::kB;
using world::kBit;
using world::kPage;
using world::Setup;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;
constexpr std::uint64_t kEmpty = mmu::bit(63);
constexpr std::uint64_t kBlocked = mmu::bit(62);
constexpr std::uint64_t kFrame = mmu::bits(51, 12);
constexpr std::uint64_t kApic = 0xfee00000;
constexpr std::uint64_t kTss = 0xfeffd000;
constexpr std::uint64_t kIdentity = 0xfeffc000;

std::string text(const Flushed& flushed) { return world::to_text(flushed); }

std::vector<mmu::LeafView> private_leaves(const mmu::Machine& machine) {
  std::vector<mmu::LeafView> found = machine.leaves(false);
  std::erase_if(
      found, [](const mmu::LeafView& leaf) { return (leaf.gpa & kBit) != 0; });
  return found;
}

std::unique_ptr<mmu::Machine> mirror_with(std::string external) {
  mmu::MachineConfig config = Setup{"mirror", kTdp, "tdx47"}.config();
  config.external_tables = external;
  auto machine = world::vm(config);
  world::add(*machine, {.gpa = kA, .bytes = kPage});
  return machine;
}

}  // namespace

TEST_CASE("B15: an alias with bits never meets one of KVM's own slots") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const auto machine = world::vm(
        Setup{.strategy = "stolen-bits", .mmu = mmu, .internal_slots = true});
    for (const std::uint64_t gpa : {kApic, kTss, kTss + 0x2000, kIdentity}) {
      CAPTURE(gpa);
      CHECK(world::access(*machine, gpa | kBit).code == OutcomeCode::kEmulate);
      CHECK(!world::is_mapped(*machine, gpa | kBit));
      CHECK((world::entry_at(*machine, gpa | kBit) & 7) == 6);
      CHECK(world::access(*machine, gpa).level == 1);
    }
    CHECK(world::access(*machine, kApic + kPage).code == OutcomeCode::kEmulate);
  }
}

TEST_CASE("B16: where the exclusion was lost, the alias maps KVM's own slot") {
  for (const auto strategy : {"v5-as-posted", "v5-as-reviewed"}) {
    const auto legacy = world::vm(
        Setup{.strategy = strategy, .mmu = kRmap, .internal_slots = true});
    CHECK(world::access(*legacy, kApic | kBit).code == OutcomeCode::kFixed);
    CHECK(world::is_mapped(*legacy, kApic | kBit));
    const auto tdp =
        world::vm(Setup{.strategy = strategy, .internal_slots = true});
    CHECK(world::access(*tdp, kApic | kBit).code == OutcomeCode::kStuck);
    CHECK(world::is_mapped(*tdp, kApic));
  }
}

TEST_CASE("B17: a private fault on a shared page exits and changes nothing") {
  const auto machine = world::one_page({"mirror", kTdp, "tdx47"});
  world::share(*machine, kA);
  const auto before = machine->leaves(true);
  for (const std::uint64_t gpa : {kA, 2 * kA}) {
    const Outcome outcome = world::access(*machine, gpa);
    CHECK(outcome.code == OutcomeCode::kMemoryFault);
    CHECK(outcome.sptes_changed == 0);
    CHECK(outcome.level == 0);
  }
  CHECK(machine->leaves(true).size() == before.size());
  CHECK(machine->tables().roots == 0);
  const auto exit = machine->memory_fault(0);
  REQUIRE(exit);
  CHECK(exit->flags == mmu::bit(3));
  CHECK(exit->gpa == 2 * kA);
  CHECK(exit->bytes == kPage);
  auto stats = world::stats(*machine);
  CHECK(stats["pf_taken"] == 2);
  CHECK(stats["pf_fixed"] + stats["pf_emulate"] + stats["pf_spurious"] == 0);
}

TEST_CASE("B17: the exit of a shared fault has no flag and no alias bit") {
  const auto machine = world::one_page({"mirror", kTdp, "tdx47"});
  CHECK(!machine->memory_fault(0));
  CHECK(world::access(*machine, kB).code == OutcomeCode::kMemoryFault);
  const auto exit = machine->memory_fault(0);
  REQUIRE(exit);
  CHECK(exit->flags == 0);
  CHECK(exit->gpa == kA);
  CHECK(!machine->memory_fault(1));
  // KVM_RUN itself fails, and what a prefault answers is the same errno.
  CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
}

TEST_CASE("B17: the VMM that converts has the access served the second time") {
  mmu::MachineConfig config = Setup{"mirror", kTdp, "tdx47"}.config();
  config.convert_on_exit = true;
  const auto machine = world::vm(config);
  world::add(*machine, {.gpa = kA, .bytes = kPage});
  CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
  const Outcome outcome = world::access(*machine, kB);
  CHECK(outcome.code == OutcomeCode::kFixed);
  // A's leaf goes; three links and a leaf come.
  CHECK(outcome.sptes_changed == 5);
  CHECK(outcome.flush == 2);
  CHECK(machine->conversions() == 1);
  CHECK(machine->is_private(kA).value() == false);
}

TEST_CASE("B18: a page made private loses its shared leaf, with a full flush") {
  const auto machine = world::vm(Setup{"mirror", kTdp, "tdx47"});
  world::add(*machine, {.gpa = kA, .bytes = 2 * kPage});
  world::share(*machine, kA);
  world::access(*machine, kB);
  world::access(*machine, kA + kPage);
  const auto kept = private_leaves(*machine);
  REQUIRE(kept.size() == 1);
  Outcome outcome;
  const Flushed flushed = world::flushed_by(
      *machine, [&] { outcome = world::convert(*machine, kA, kPage, true); });
  CHECK(outcome.sptes_changed == 1);
  CHECK(text(flushed) == text({.full = 1}));
  CHECK(!world::is_mapped(*machine, kB));
  CHECK(machine->is_private(kB).value());
  REQUIRE(private_leaves(*machine).size() == 1);
  CHECK(private_leaves(*machine)[0].spte == kept[0].spte);
  CHECK(world::convert(*machine, kA, kPage, true).flush == 0);
}

TEST_CASE("B19: a host unmap does not reach the mirror") {
  const auto machine = world::one_page({"mirror", kTdp, "tdx47"});
  world::access(*machine, kA);
  const std::uint64_t before = world::entry_at(*machine, kA);
  const Outcome outcome = world::unmap_host(*machine, kA);
  CHECK(outcome.sptes_changed == 0);
  CHECK(outcome.flush == 0);
  CHECK(world::entry_at(*machine, kA) == before);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kHit);
}

TEST_CASE("B20: an install that the other side is too busy for is undone") {
  // Three links, and the leaf is the fourth ask.
  const auto machine = mirror_with("busy:4");
  const Outcome first = world::access(*machine, kA);
  CHECK(first.code == OutcomeCode::kRetry);
  CHECK(first.sptes_changed == 3);
  CHECK(first.level == 0);
  CHECK(world::last_step(*machine, kA).level == 1);
  CHECK(world::entry_at(*machine, kA) == kEmpty);
  CHECK(world::stats(*machine)["pf_fixed"] == 0);
  const Outcome second = world::access(*machine, kA);
  CHECK(second.code == OutcomeCode::kFixed);
  CHECK(second.sptes_changed == 1);
}

TEST_CASE("B20: a link that is refused frees its table, and the guest errs") {
  const auto machine = mirror_with("fail:2");
  const Outcome first = world::access(*machine, kA);
  CHECK(first.code == OutcomeCode::kError);
  CHECK(first.sptes_changed == 1);
  CHECK(world::last_step(*machine, kA).level == 3);
  CHECK(world::tables_of(*machine, 2).empty());
  // Shared entries are nobody else's.
  world::share(*machine, kA);
  CHECK(world::access(*machine, kB).code == OutcomeCode::kFixed);
}

TEST_CASE("B21: whoever meets a frozen entry retries, and takes no table") {
  mmu::MachineConfig config = Setup{"mirror", kTdp, "tdx47"}.config();
  config.vcpus = 2;
  const auto machine = world::vm(config);
  world::add(*machine, {.gpa = kA, .bytes = 64 * kPage});
  constexpr std::uint64_t kFrozen = kEmpty | 0x5a0;
  unsigned met = 0;
  const auto by_other = [](mmu::Machine& others, std::uint64_t gpa) {
    const auto out = others.step({.access = 2, .vcpu = 1, .gpa = gpa});
    REQUIRE(out);
    return out.value();
  };
  machine->set_interleave(
      [&](mmu::Machine& others) {
        ++met;
        CHECK(world::entry_at(others, kA) == kFrozen);
        const auto before = others.tables();
        const Outcome out = by_other(others, kA);
        CHECK(out.code == OutcomeCode::kRetry);
        CHECK(out.sptes_changed == 0);
        CHECK(out.level == 0);
        CHECK(others.tables().bytes_in_use == before.bytes_in_use);
        CHECK(world::entry_at(others, kA) == kFrozen);
        // Beside it there is nothing to wait for, once there is a table.
        if (met != 4) return;
        for (std::uint64_t page = 1; page < 32; ++page) {
          CHECK(by_other(others, kA + page * kPage).code ==
                OutcomeCode::kFixed);
        }
      },
      mmu::InterleaveAt::kFrozen);
  const Outcome first = world::access(*machine, kA);
  // Three links and a leaf, each asked for.
  CHECK(met == 4);
  CHECK(first.code == OutcomeCode::kFixed);
  CHECK(first.sptes_changed == 4);
  CHECK(world::is_mapped(*machine, kA));
  CHECK(machine->leaves(false).size() == 32);
  CHECK(world::stats(*machine)["pf_taken"] == 1 + 4 + 31);
  CHECK(world::stats(*machine)["pf_fixed"] == 1 + 31);
  CHECK(by_other(*machine, kA).code == OutcomeCode::kHit);
  world::check_accounts(*machine);
}

TEST_CASE("B21: an entry that its owner declines is as it was, not frozen") {
  const auto machine = mirror_with("busy:4");
  machine->set_interleave([](mmu::Machine&) {}, mmu::InterleaveAt::kFrozen);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kRetry);
  CHECK(world::entry_at(*machine, kA) == kEmpty);
  CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
}

TEST_CASE("B21a: a shared fault blocks the private leaf, flushes, drops it") {
  const auto machine =
      world::one_page({"stolen-bits-tdx", kRmap, "tdx47", "hyperv"});
  world::access(*machine, kA);
  Outcome outcome;
  const Flushed flushed = world::flushed_by(
      *machine, [&] { outcome = world::access(*machine, kB); });
  CHECK(outcome.code == OutcomeCode::kFixed);
  // Blocked, dropped, three links, the leaf.
  CHECK(outcome.sptes_changed == 6);
  CHECK(text(flushed) == text({.range = 2, .pages = 2}));
  CHECK(world::entry_at(*machine, kA) == kEmpty);
  CHECK(world::is_mapped(*machine, kB));
  CHECK(world::rmap_count(*machine, kA) == 1);
}

TEST_CASE("B21a: a leaf blocked before the shared fault stays blocked") {
  const auto machine =
      world::one_page({"stolen-bits-tdx", kRmap, "tdx47", "hyperv"});
  world::access(*machine, kA);
  world::unmap_host(*machine, kA);
  const std::uint64_t blocked = world::entry_at(*machine, kA);
  const Flushed flushed =
      world::flushed_by(*machine, [&] { world::access(*machine, kB); });
  CHECK(text(flushed) == text({}));
  CHECK(world::entry_at(*machine, kA) == blocked);
  CHECK(world::rmap_count(*machine, kA) == 2);
}

TEST_CASE("B21b: a host unmap blocks a private leaf, a fault unblocks it") {
  const auto machine = world::one_page({"stolen-bits-tdx", kRmap, "tdx47"});
  world::access(*machine, kA);
  const std::uint64_t leaf = world::entry_at(*machine, kA);
  CHECK(world::rmap_count(*machine, kA) == 1);
  CHECK(world::unmap_host(*machine, kA).sptes_changed == 1);
  CHECK(world::entry_at(*machine, kA) == (kEmpty | kBlocked | (leaf & kFrame)));
  CHECK(world::rmap_count(*machine, kA) == 1);
  CHECK(world::stats(*machine)["pages_4k"] == 0);
  const Outcome again = world::access(*machine, kA);
  CHECK(again.code == OutcomeCode::kUnzapped);
  CHECK(again.sptes_changed == 1);
  CHECK(again.level == 1);
  CHECK(world::entry_at(*machine, kA) == leaf);
  CHECK(world::rmap_count(*machine, kA) == 1);
  auto stats = world::stats(*machine);
  CHECK(stats["pf_taken"] == 2);
  CHECK(stats["pf_fixed"] == 1);
}

TEST_CASE("a dirty round leaves a private leaf writable, bit or no bit") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const auto machine = world::one_page({"v5-as-posted", mmu, "tdx47"},
                                         mmu::MemslotRegion::kLogDirty);
    // The bit is B's; the leaf that is there when it is taken is A's.
    world::access(*machine, kB);
    world::zap(*machine, kA);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kFixed);
    CHECK(machine->memslots()[0].dirty_pages == 1);
    CHECK(
        world::operate(*machine, mmu::EventKind::kDirtyLogGet).sptes_changed ==
        0);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kHit);
  }
}

TEST_CASE("B22: hardware strips the C-bit, and one mapping serves both") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const auto machine = world::one_page({"none", mmu, "sev:47"});
    CHECK(world::access(*machine, kB).code == OutcomeCode::kFixed);
    CHECK(world::access(*machine, kA).code == OutcomeCode::kHit);
    REQUIRE(machine->leaves(false).size() == 1);
    CHECK(machine->leaves(false)[0].gpa == kA);
    CHECK(world::last_step(*machine, kB).gpa == kA);
    // A hole's entry has no alias either.
    CHECK(world::access(*machine, 2 * kA | kBit).code == OutcomeCode::kEmulate);
    CHECK((world::entry_at(*machine, 2 * kA) & kFrame) == 2 * kA);
  }
  for (const mmu::StrategyView& view : mmu::strategies()) {
    CAPTURE(view.name);
    const Setup setup{view.name, view.tdp ? kTdp : kRmap, "sev:47"};
    CHECK(bool(mmu::make_machine(setup.config())) == (view.name == "none"));
  }
}

TEST_CASE("B23: the address that equals the threshold is shared") {
  constexpr std::uint64_t kTom = std::uint64_t{64} << 40;
  for (const auto& [strategy, mmu] :
       {std::pair{"mirror", kTdp}, std::pair{"precise", kTdp},
        std::pair{"precise", kRmap}}) {
    const auto machine = world::vm(Setup{strategy, mmu, "vtom:64T"});
    world::add(*machine, {.bytes = kPage});
    world::add(*machine, {.id = 1, .gpa = kTom - kPage, .bytes = kPage});
    // Memory starts private: one page below is, the threshold is not.
    CHECK(world::access(*machine, kTom - kPage).code == OutcomeCode::kFixed);
    CHECK(world::access(*machine, kTom).code == OutcomeCode::kMemoryFault);
    world::share(*machine, 0);
    CHECK(world::access(*machine, kTom).code == OutcomeCode::kFixed);
    CHECK(world::access(*machine, 0).code == OutcomeCode::kMemoryFault);
  }
}
