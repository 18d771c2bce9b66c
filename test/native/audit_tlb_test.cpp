// Rule accounting-mismatch on TLBs, what it excuses, and audits in the course
// of a run.
#include <random>

#include "audited_world.hpp"
#include "core/audit/audit_findings.hpp"

using mmu::EventKind;
using mmu::Flavour;
using mmu::Level;
using mmu::words;
using world::Audited;
using world::kA;
using world::kB;
using world::kMiB;
using world::kPage;
using world::Setup;

namespace {

constexpr std::string_view kRule = "accounting-mismatch: ";
constexpr std::uint64_t kHole = 64 * kMiB;
constexpr std::uint32_t kLogDirty = mmu::MemslotRegion::kLogDirty;

Audited cached(bool ad_bits = true) {
  mmu::MachineConfig config = Setup{.preset = "none", .tlb = true}.config();
  config.host.ad_bits = ad_bits;
  Audited vm(config);
  vm.add({.gpa = kA, .bytes = 4 * kPage});
  vm.access(kA);
  REQUIRE((*vm.mmu().tlbs)[0].used() == 1);
  REQUIRE(vm.found() == "");
  return vm;
}

mmu::TlbEntry& entry_of(Audited& vm) {
  mmu::TlbEntry* entry =
      (*vm.mmu().tlbs)[0].lookup(0, 0, mmu::gfn_of(mmu::Gpa{kA}));
  REQUIRE(entry != nullptr);
  return *entry;
}

// Both aliases cached as writable, then a dirty round whose flush is too
// narrow (D2).
std::unique_ptr<mmu::Machine> stale() {
  auto machine = world::one_page(
      {"v5-as-posted", Flavour::kRmap, "bits:47", "hyperv", /*tlb=*/true},
      kLogDirty);
  world::access(*machine, kA);
  world::access(*machine, kB);
  world::take_log(*machine);
  return machine;
}

}  // namespace

TEST_CASE("an audit finds a TLB entry that grants more than the tables") {
  Audited vm = cached();
  const auto set = [&](std::uint64_t take) {
    mmu::TableRef table = vm.table(kA, Level::k4K);
    const unsigned index = mmu::table_index({kA >> 12}, Level::k4K);
    vm.tree().set_spte(table, index, vm.tree().get(table, index).without(take));
  };
  set(mmu::ept::kDirty);  // the next write would not be marked
  const std::string expected =
      words(kRule,
            "vCPU 0 has cached rights 7, where the tables grant 5 at 0x100000 "
            "level 1");
  CHECK(vm.found() == expected);
  set(mmu::ept::kWrite);
  CHECK(vm.found() == expected);
  entry_of(vm).rights = 5;
  CHECK(vm.found() == "");
}

TEST_CASE("an audit finds a TLB entry of another page, or of none") {
  Audited vm = cached();
  const std::uint64_t pfn = entry_of(vm).pfn.value++;
  CHECK(vm.found() == words(kRule, "vCPU 0 has cached host frame ", pfn + 1,
                            ", where the tables have ", pfn,
                            " at 0x100000 level 1"));
  mmu::TableRef table = vm.table(kA, Level::k4K);
  vm.tree().set_spte(table, mmu::table_index({kA >> 12}, Level::k4K),
                     mmu::Spte{});
  CHECK(vm.found() ==
        words(kRule,
              "vCPU 0 has cached what is no longer mapped at 0x100000 level "
              "1"));
}

TEST_CASE("what ageing took, and what a dropped root had, may stay cached") {
  for (const bool ad_bits : {false, true}) {
    Audited vm = cached(ad_bits);
    vm.operate(EventKind::kAge, world::kHvaBase + kA, kPage);
    CHECK(entry_of(vm).rights == 7);
    CHECK(vm.found() == "");
    vm.operate(EventKind::kZapAllFast);
    CHECK(entry_of(vm).rights == 7);
    CHECK(vm.found() == "");
  }
}

TEST_CASE("a stale TLB entry of D2 or B14 is found before it is used") {
  const auto machine = stale();
  CHECK(machine->violations().size() == 1);  // alias-shared-leaf
  const mmu::AuditReport report = machine->audit();
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].rule == "accounting-mismatch");
  CHECK(report.findings[0].defect == "D2");
  CHECK(report.findings[0].place->gpa == kB);
  // Only who is told to count does.
  CHECK(world::fired(*machine, "accounting-mismatch") == 0);
}

TEST_CASE("audits in a run count what they find, after the event before") {
  const auto machine = stale();
  machine->audit_every(2);
  CHECK(world::fired(*machine, "accounting-mismatch") == 1);
  world::access(*machine, kHole);
  CHECK(world::fired(*machine, "accounting-mismatch") == 1);
  world::access(*machine, kHole);
  CHECK(world::fired(*machine, "accounting-mismatch") == 2);
  machine->audit_every(0);  // nothing has happened since
  CHECK(world::fired(*machine, "accounting-mismatch") == 2);
  world::access(*machine, kHole);
  machine->audit_every(0);
  CHECK(world::fired(*machine, "accounting-mismatch") == 3);
  world::access(*machine, kHole);
  world::access(*machine, kHole);
  CHECK(world::fired(*machine, "accounting-mismatch") == 3);
  for (const mmu::ViolationView& found : machine->violations()) {
    if (found.rule != "accounting-mismatch") continue;
    CHECK(found.first_event == 2);
    CHECK(found.gpa == kB);
    CHECK(found.defect == "D2");
    CHECK(found.reason ==
          "vCPU 0 has cached rights 7, where the tables grant 5");
  }
}

TEST_CASE("what audits look for is judged once one has counted") {
  using Ids = std::vector<std::string_view>;
  for (const Flavour flavour : {Flavour::kTdp, Flavour::kRmap}) {
    const auto machine = world::vm(Setup{.mmu = flavour, .preset = "none"});
    machine->audit();
    CHECK(machine->judged() == Ids{});
    machine->audit_every(0);
    Ids wanted{"accounting-mismatch", "table-reachable-after-free"};
    if (flavour == Flavour::kRmap) {
      wanted.insert(wanted.begin() + 1, "rmap-mismatch");
    }
    CHECK(machine->judged() == wanted);
  }
}

TEST_CASE("a storm leaves no strategy anything that an audit finds") {
  for (const mmu::StrategyView& strategy : mmu::strategies()) {
    for (const Flavour flavour : {Flavour::kTdp, Flavour::kRmap}) {
      if (!(flavour == Flavour::kTdp ? strategy.tdp : strategy.rmap)) continue;
      const std::string preset =
          strategy.attribute || strategy.name == "none" ? "bits:47" : "tdx47";
      CAPTURE(std::string(strategy.name));
      CAPTURE(world::name_of(flavour));
      std::mt19937 random(5);
      Setup setup{strategy.name, flavour, preset, "none", /*tlb=*/true};
      setup.vcpus = 2;
      const auto machine = world::vm(setup);
      world::add(*machine, {.gpa = kA,
                            .bytes = 40 * kPage,
                            .flags = strategy.attribute ? kLogDirty : 0});
      for (int i = 0; i < 1500; ++i) {
        const std::uint64_t gpa = kA + random() % 48 * kPage;
        const std::uint64_t bit = random() % 2 == 0 ? world::kBit : 0;
        switch (random() % 24) {
          case 0:
            world::zap(*machine, gpa);
            break;
          case 1:
            world::unmap_host(*machine, gpa);
            break;
          case 2:
            world::operate(*machine, EventKind::kZapAllFast);
            break;
          case 3:
            world::take_log(*machine);
            break;
          default:
            world::access(*machine, gpa | bit,
                          static_cast<std::uint8_t>(random() % 7 + 1));
        }
        if (i % 50 == 49) REQUIRE(machine->audit().findings.empty());
      }
    }
  }
}
