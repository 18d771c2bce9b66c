// What is behind an alias when no user memory is: a hole, a read-only slot's
// write, one of KVM's own slots.
#include "alias_world.hpp"

using mmu::Flavour;
using mmu::Outcome;
using mmu::OutcomeCode;
using world::kA;
using world::kB;
using world::kBit;
using world::kPage;
using world::Setup;

namespace {

constexpr auto kTdp = Flavour::kTdp;
constexpr auto kRmap = Flavour::kRmap;
constexpr OutcomeCode kFixed = OutcomeCode::kFixed;
constexpr OutcomeCode kEmulate = OutcomeCode::kEmulate;
constexpr OutcomeCode kError = OutcomeCode::kError;
constexpr OutcomeCode kFault = OutcomeCode::kMemoryFault;
constexpr OutcomeCode kStuck = OutcomeCode::kStuck;
constexpr OutcomeCode kSpurious = OutcomeCode::kSpurious;
constexpr std::uint64_t kApic = 0xfee00000;

// Answers through alias 0 and alias 1, each in a VM of its own. A page of
// memory attributes is shared unless it was made private.
struct Two {
  OutcomeCode a;
  OutcomeCode b;
};
struct Row {
  std::string_view strategy;
  Flavour mmu;
  std::string_view preset;
  Two hole;
  Two private_hole;  // where attributes decide, the page is private
  Two readonly_write;
  Two own;  // KVM's own slot
};

// clang-format off
constexpr Row kRows[] = {
    {"none", kTdp, "bits:47", {kEmulate, kEmulate}, {}, {kEmulate, kEmulate}, {kFixed, kEmulate}},
    {"duplicate-slots", kTdp, "bits:47", {kEmulate, kEmulate}, {}, {kEmulate, kEmulate}, {kFixed, kEmulate}},
    {"duplicate-slots", kRmap, "bits:47", {kEmulate, kEmulate}, {}, {kEmulate, kEmulate}, {kFixed, kEmulate}},
    {"stolen-bits", kTdp, "bits:47", {kEmulate, kEmulate}, {}, {kEmulate, kEmulate}, {kFixed, kEmulate}},
    {"stolen-bits", kRmap, "bits:47", {kEmulate, kEmulate}, {}, {kEmulate, kEmulate}, {kFixed, kEmulate}},
    {"precise", kTdp, "bits:47", {kEmulate, kEmulate}, {}, {kEmulate, kEmulate}, {kFixed, kEmulate}},
    {"precise", kRmap, "bits:47", {kEmulate, kEmulate}, {}, {kEmulate, kEmulate}, {kFixed, kEmulate}},
    {"v5-as-posted", kTdp, "bits:47", {kEmulate, kEmulate}, {}, {kEmulate, kEmulate}, {kFixed, kStuck}},
    {"v5-as-posted", kRmap, "bits:47", {kEmulate, kEmulate}, {}, {kEmulate, kEmulate}, {kFixed, kFixed}},
    // The 2020 code knows no private memory: alias 0 is where KVM's slots are.
    {"stolen-bits", kTdp, "tdx47", {kEmulate, kEmulate}, {kEmulate, kEmulate}, {kEmulate, kEmulate}, {kFixed, kEmulate}},
    {"stolen-bits", kRmap, "tdx47", {kEmulate, kEmulate}, {kEmulate, kEmulate}, {kEmulate, kEmulate}, {kFixed, kEmulate}},
    {"v5-as-posted", kRmap, "tdx47", {kEmulate, kEmulate}, {kEmulate, kEmulate}, {kEmulate, kEmulate}, {kFixed, kFixed}},
    {"stolen-bits-tdx", kRmap, "tdx47", {kError, kEmulate}, {kError, kEmulate}, {kError, kEmulate}, {kFixed, kEmulate}},
    {"role-private", kTdp, "tdx47", {kError, kEmulate}, {kError, kEmulate}, {kError, kEmulate}, {kError, kFixed}},
    {"mirror", kTdp, "tdx47", {kFault, kEmulate}, {kFault, kFault}, {kFault, kEmulate}, {kFault, kFixed}},
    {"precise", kTdp, "tdx47", {kFault, kEmulate}, {kFault, kFault}, {kFault, kEmulate}, {kFault, kFixed}},
    {"precise", kRmap, "tdx47", {kFault, kEmulate}, {kFault, kFault}, {kFault, kEmulate}, {kFault, kFixed}},
};
// clang-format on

template <class Prepare>
void check(const Row& row, Two expected, std::uint64_t gpa, Prepare prepare) {
  for (const std::uint64_t alias : {std::uint64_t{0}, kBit}) {
    CAPTURE(alias);
    const auto machine = world::vm(Setup{.strategy = row.strategy,
                                         .mmu = row.mmu,
                                         .preset = row.preset,
                                         .internal_slots = true});
    prepare(*machine);
    const Outcome outcome = world::access(*machine, gpa | alias);
    CHECK(outcome.code == (alias == 0 ? expected.a : expected.b));
    CHECK((outcome.level != 0) == (outcome.code == kFixed));
    if (outcome.code != kFixed && outcome.code != kStuck) {
      CHECK(machine->leaves(false).empty());
    }
  }
}

template <class Check>
void for_each_row(Check check) {
  for (const Row& row : kRows) {
    CAPTURE(row.strategy);
    CAPTURE(world::name_of(row.mmu));
    CAPTURE(row.preset);
    check(row);
  }
}

}  // namespace

TEST_CASE("a hole through either alias") {
  for_each_row(
      [](const Row& row) { check(row, row.hole, kA, [](mmu::Machine&) {}); });
}

TEST_CASE("a hole whose attribute is private") {
  for_each_row([](const Row& row) {
    if (row.preset != "tdx47") return;
    check(row, row.private_hole, kA, [](mmu::Machine& machine) {
      world::convert(machine, kA, kPage, true);
    });
  });
}

TEST_CASE("a write to a read-only slot, which starts shared") {
  for_each_row([](const Row& row) {
    check(row, row.readonly_write, kA, [](mmu::Machine& machine) {
      world::add(
          machine,
          {.gpa = kA, .bytes = kPage, .flags = mmu::MemslotRegion::kReadonly});
    });
  });
}

TEST_CASE("one of KVM's own slots through either alias") {
  for_each_row(
      [](const Row& row) { check(row, row.own, kApic, [](mmu::Machine&) {}); });
}

TEST_CASE("KVM's own slots are not listed, and no user slot may overlap them") {
  const auto machine = world::vm(Setup{.internal_slots = true});
  CHECK(machine->memslots().empty());
  CHECK(machine->generation(0) == 0);
  const auto done = machine->set_memslot(
      world::Slot{.gpa = kApic - kPage, .bytes = 2 * kPage}.region());
  REQUIRE(!done);
  CHECK(done.error().code == mmu::ErrorCode::kMemslotOverlap);
}
