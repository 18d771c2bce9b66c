// What guest MTRRs do to a VM's leaves, strategy by strategy.
#include "alias_world.hpp"

using mmu::ErrorCode;
using mmu::Flavour;
using mmu::Kernel;
using mmu::OutcomeCode;
using world::Flushed;
using world::kBit;
using world::kMiB;
using world::kPage;
using world::Setup;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;
constexpr std::uint64_t k2M = 2 * kMiB;
constexpr std::uint32_t kDefaultMsr = 0x2ff;
constexpr std::uint64_t kOnWriteBack = mmu::bit(11) | 6;
constexpr const char* kRule = "huge-mixed-memtype";
// A page of another type in the middle of the second 2M.
constexpr std::uint64_t kOdd = k2M + kMiB;
constexpr std::uint64_t kMixed = k2M;
constexpr std::uint64_t kPlain = 2 * k2M;

using Vm = std::unique_ptr<mmu::Machine>;

void write(mmu::Machine& machine, std::uint32_t msr, std::uint64_t value) {
  REQUIRE(machine.set_mtrr(msr, value));
}

std::uint64_t mask_of_page(const mmu::Machine& machine) {
  const auto view = mmu::preset_view(machine.config().preset);
  REQUIRE(view);
  const unsigned width = view.value().bits.empty()
                             ? machine.config().address_bits
                             : view.value().bits.front();
  return (mmu::bit(width) - kPage) | mmu::bit(11);
}

void set_odd_page(mmu::Machine& machine) {
  write(machine, kDefaultMsr, kOnWriteBack);
  write(machine, 0x200, kOdd);
  write(machine, 0x201, mask_of_page(machine));
}

Vm typed_vm(const Setup& setup, Kernel kernel = Kernel::k616) {
  mmu::MachineConfig config = setup.config();
  config.kernel = kernel;
  config.host.memory_types = true;
  Vm machine = world::vm(config);
  world::add(*machine, {.bytes = 4 * k2M, .backing = 2});
  return machine;
}

unsigned level_at(const mmu::Machine& machine, std::uint64_t gpa) {
  return world::last_step(machine, gpa).level;
}

// Every pair of strategy, flavour and preset that there is.
template <class Check>
void for_each_setup(Check check) {
  for (const mmu::StrategyView& view : mmu::strategies()) {
    for (const Flavour mmu : {kTdp, kRmap}) {
      for (const std::string_view preset : {"bits:47", "tdx47", "xo:47"}) {
        const Setup setup{view.name, mmu, preset};
        const auto reason = mmu::not_applicable(setup.config());
        REQUIRE(reason);
        if (!reason.value().empty()) continue;
        CAPTURE(view.name);
        CAPTURE(world::name_of(mmu));
        CAPTURE(preset);
        check(setup, view);
      }
    }
  }
}

bool lists_d4(const mmu::StrategyView& view, Flavour mmu) {
  for (const mmu::DefectView& defect : view.defects) {
    if (defect.id == "D4") return mmu == kTdp ? defect.tdp : defect.rmap;
  }
  return false;
}

bool is_tdx(const Setup& setup) { return setup.preset == "tdx47"; }

// Both aliases, each page shared where that is a question.
void touch_both(mmu::Machine& machine, const Setup& setup, std::uint64_t gpa) {
  if (is_tdx(setup)) world::share(machine, gpa & ~(k2M - 1), k2M);
  const bool fetches = setup.preset == "xo:47";
  const std::uint8_t how = fetches ? mmu::kAccessFetch : mmu::kAccessWrite;
  world::access(machine, gpa, how);
  world::access(machine, gpa | kBit, how);
}

}  // namespace

TEST_CASE("B87: asked by the raw frame, mixed memory gets a huge leaf") {
  for (const auto strategy : {"v5-as-posted", "v5-as-reviewed"}) {
    for (const Flavour mmu : {kTdp, kRmap}) {
      CAPTURE(std::string(strategy));
      CAPTURE(world::name_of(mmu));
      const Vm machine = typed_vm({strategy, mmu});
      set_odd_page(*machine);
      world::access(*machine, kMixed);
      CHECK(level_at(*machine, kMixed) == 1);
      CHECK(machine->violations().empty());
      world::access(*machine, kMixed | kBit);
      // Hardware gets to the leaf where KVM put it: in tdp at alias 0.
      CHECK(level_at(*machine, kMixed | (mmu == kRmap ? kBit : 0)) == 2);
      CHECK(world::fired(*machine, kRule) == 1);
      CHECK(world::defect_of(*machine, kRule) == "D4");
    }
  }
}

TEST_CASE("B87: whoever asks by the frame of the slot maps it by 4K") {
  for_each_setup([](const Setup& setup, const mmu::StrategyView& view) {
    if (view.name == "none" || view.name == "mirror") return;
    const Vm machine = typed_vm(setup);
    set_odd_page(*machine);
    touch_both(*machine, setup, kMixed);
    CHECK((world::fired(*machine, kRule) != 0) == lists_d4(view, setup.mmu));
    if (lists_d4(view, setup.mmu)) return;
    for (const mmu::LeafView& leaf : machine->leaves(false)) {
      // A twin slot's frames have no MTRR.
      const bool is_twin =
          view.name == "duplicate-slots" && (leaf.gpa & kBit) != 0;
      CHECK(leaf.level == (is_twin ? 2 : 1));
    }
  });
}

TEST_CASE("memory of one type stays huge, whatever is around it") {
  for_each_setup([](const Setup& setup, const mmu::StrategyView& view) {
    if (view.name == "mirror" || is_tdx(setup)) return;
    const Vm machine = typed_vm(setup);
    set_odd_page(*machine);
    world::access(*machine, kPlain);
    CHECK(level_at(*machine, kPlain) == 2);
    CHECK(world::fired(*machine, kRule) == 0);
  });
}

TEST_CASE("a write to an MTRR zaps its range and flushes it") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const Vm machine = typed_vm({"none", mmu, "none", "hyperv"});
    write(*machine, kDefaultMsr, kOnWriteBack);
    world::access(*machine, kMixed);
    world::access(*machine, kPlain);
    CHECK(level_at(*machine, kMixed) == 2);
    write(*machine, 0x200, kOdd);
    mmu::Outcome outcome;
    const Flushed flushed = world::flushed_by(*machine, [&] {
      const auto done = machine->set_mtrr(0x201, mask_of_page(*machine));
      REQUIRE(done);
      outcome = done.value();
    });
    // The base alone says nothing yet; the leaf goes whole.
    CHECK(outcome.sptes_changed == 1);
    CHECK(flushed == Flushed{.range = 1, .pages = 1});
    CHECK(world::is_mapped(*machine, kPlain));
    CHECK(!world::is_mapped(*machine, kMixed));
    world::access(*machine, kMixed);
    CHECK(level_at(*machine, kMixed) == 1);
    world::access(*machine, kOdd);
    world::access(*machine, kPlain);
    const Flushed again =
        world::flushed_by(*machine, [&] { write(*machine, 0x200, kOdd | 4); });
    CHECK(again == Flushed{.range = 1, .pages = 1});
    CHECK(!world::is_mapped(*machine, kOdd));
    CHECK(world::is_mapped(*machine, kMixed));
    CHECK(world::is_mapped(*machine, kPlain));
  }
}

TEST_CASE("while MTRRs are off only the default type's register zaps") {
  for (const Flavour mmu : {kTdp, kRmap}) {
    const Vm machine = typed_vm({"none", mmu, "none"});
    world::access(*machine, 0);
    write(*machine, 0x200, 6);
    write(*machine, 0x201, mask_of_page(*machine));
    write(*machine, 0x250, 0);
    CHECK(world::is_mapped(*machine, 0));
    write(*machine, kDefaultMsr, 6);
    CHECK(!world::is_mapped(*machine, 0));
  }
}

TEST_CASE("a leaf has its frame's type in 5.10, and the guest's later") {
  constexpr std::uint64_t kTypeBits = mmu::bits(6, 3);
  for (const Flavour mmu : {kTdp, kRmap}) {
    const Setup setup{"none", mmu, "none"};
    const Vm old = typed_vm(setup, Kernel::k510);
    set_odd_page(*old);
    world::access(*old, kOdd);
    world::access(*old, kPlain);
    CHECK((world::entry_at(*old, kOdd) & kTypeBits) == 0);
    CHECK((world::entry_at(*old, kPlain) & kTypeBits) == 6u << 3);
    const Vm now = typed_vm(setup);
    set_odd_page(*now);
    world::access(*now, kOdd);
    CHECK((world::entry_at(*now, kOdd) & kTypeBits) == 6u << 3);
    const Vm off = world::vm(setup);
    world::add(*off, {.bytes = kPage});
    world::access(*off, 0);
    CHECK((world::entry_at(*off, 0) & kTypeBits) == (mmu::bit(6) | 6u << 3));
  }
}

TEST_CASE("huge pages come back where they are of one type, and only there") {
  const Vm machine = typed_vm({"none", kTdp, "none"});
  world::operate(*machine, mmu::EventKind::kDirtyLogEnable);
  set_odd_page(*machine);
  for (const std::uint64_t gpa : {kMixed, kPlain}) {
    world::access(*machine, gpa);
  }
  world::operate(*machine, mmu::EventKind::kDirtyLogDisable);
  CHECK(level_at(*machine, kMixed) == 1);
  CHECK(level_at(*machine, kPlain) == 2);
}

TEST_CASE("a refused MTRR changes nothing") {
  const Vm machine = typed_vm({"none", kTdp, "none"});
  set_odd_page(*machine);
  world::access(*machine, kPlain);
  const auto before = world::stats(*machine);
  for (const auto& [msr, value] :
       {std::pair{0x300u, std::uint64_t{0}}, std::pair{0x2ffu, mmu::bit(63)},
        std::pair{0x200u, mmu::bit(52)}, std::pair{0x250u, std::uint64_t{2}}}) {
    const auto done = machine->set_mtrr(msr, value);
    REQUIRE(!done);
    CHECK(done.error().code == ErrorCode::kMtrr);
    CHECK(done.error().values[0].value == msr);
    CHECK(done.error().values[1].value == value);
  }
  CHECK(world::stats(*machine) == before);
  CHECK(world::is_mapped(*machine, kPlain));
  // The odd page is still odd.
  world::access(*machine, kMixed);
  CHECK(level_at(*machine, kMixed) == 1);
}

TEST_CASE("MTRRs that do not count cannot be written") {
  mmu::MachineConfig amd = Setup{"none", kTdp, "none"}.config();
  amd.host.memory_types = true;
  amd.host.vendor = mmu::Vendor::kAmd;
  mmu::MachineConfig mirror = Setup{"mirror", kTdp, "tdx47"}.config();
  mirror.host.memory_types = true;
  for (const mmu::MachineConfig& config :
       {Setup{"none", kTdp, "none"}.config(), amd, mirror}) {
    const auto done = world::vm(config)->set_mtrr(kDefaultMsr, kOnWriteBack);
    REQUIRE(!done);
    CHECK(done.error().code == ErrorCode::kUnsupported);
  }
}
