// Links that a vCPU remembers: what they spare, what drops them, and the rules
// on one that leads to a table which is gone.
#include "core/structure_cache.hpp"

#include "audited_world.hpp"
#include "core/fingerprint.hpp"
#include "core/rules/rule_set.hpp"

using mmu::EventKind;
using mmu::Flavour;
using mmu::Level;
using mmu::OutcomeCode;
using world::Audited;
using world::kMiB;
using world::kPage;
using world::Setup;

namespace {

constexpr std::uint64_t kFirst = 16 * kMiB;
constexpr Flavour kFlavours[] = {Flavour::kTdp, Flavour::kRmap};

// One 4K translation, and so many links of each level.
mmu::MachineConfig config(Flavour flavour, std::array<unsigned, 4> links) {
  mmu::MachineConfig config = Setup{.mmu = flavour, .preset = "none"}.config();
  config.tlb = {.arrays = {{1, 1}}, .links = links};
  return config;
}

// 16 MiB, every other page of which is touched a 2M apart, so that nothing is
// prefetched and the TLB has the last one only.
Audited vm_with(Flavour flavour, std::array<unsigned, 4> links) {
  Audited vm(config(flavour, links));
  vm.add({.gpa = kFirst, .bytes = 16 * kMiB});
  return vm;
}

unsigned tables_read(Audited& vm, std::uint64_t gpa) {
  const mmu::Outcome out = vm.access(gpa);
  REQUIRE(out.code == OutcomeCode::kHit);
  return out.tables_read;
}

// The link to the table of 4K entries is gone, and another table is there; by
// hand, as no strategy forgets that flush.
void relink(Audited& vm, std::uint64_t gpa) {
  mmu::TableRef table = vm.table(gpa, Level::k2M);
  const unsigned index =
      mmu::table_index(mmu::gfn_of(mmu::Gpa{gpa}), Level::k2M);
  REQUIRE(vm.tree().ensure_one_path());
  vm.tree().set_spte(table, index, {});
  vm.tree().link_child(table, index);
}

void flush_is_over(Audited& vm, std::uint64_t gpa) {
  const std::uint64_t frame = gpa >> mmu::kPageShift;
  vm.mmu().rules->flushed({{frame}, {frame + 1}});
}

std::uint64_t fired(Audited& vm) {
  for (const auto& found : vm.mmu().rules->found(mmu::RuleKind::kViolation)) {
    if (found.rule == "stale-translation") return found.count;
  }
  return 0;
}

}  // namespace

TEST_CASE("a walk begins behind the lowest link that is remembered") {
  for (const Flavour flavour : kFlavours) {
    Audited vm = vm_with(flavour, {2, 2, 2, 0});
    // The second try of an access remembers what it found.
    CHECK(vm.access(kFirst).tables_read == 1);
    CHECK(vm.access(kFirst + kPage * 16).tables_read == 1);
    CHECK(tables_read(vm, kFirst) == 1);
    vm.access(kFirst + 2 * kMiB);
    CHECK(tables_read(vm, kFirst) == 1);
    // The PDE of the first is the oldest of three.
    vm.access(kFirst + 2 * kMiB);
    vm.access(kFirst + 4 * kMiB);
    CHECK(tables_read(vm, kFirst) == 2);
    CHECK(tables_read(vm, kFirst + 4 * kMiB) == 1);
  }
}

TEST_CASE("only levels that have a cache are remembered") {
  Audited vm = vm_with(Flavour::kTdp, {0, 1, 0, 0});
  vm.access(kFirst);
  vm.access(kFirst + 2 * kMiB);
  CHECK(tables_read(vm, kFirst) == 2);
  Audited top = vm_with(Flavour::kTdp, {0, 0, 1, 0});
  top.access(kFirst);
  top.access(kFirst + 2 * kMiB);
  CHECK(tables_read(top, kFirst) == 3);
}

TEST_CASE("flushes of all, of a range and of one vCPU drop links") {
  for (const int way : {0, 1, 2, 3}) {
    CAPTURE(way);
    Audited vm = vm_with(Flavour::kTdp, {4, 4, 4, 0});
    vm.access(kFirst);
    vm.access(kFirst + 2 * kMiB);
    const std::uint64_t frame = kFirst >> mmu::kPageShift;
    if (way == 0) vm.mmu().tlbs->request_flush();
    if (way == 1) vm.mmu().tlbs->flush_range({{frame + 7}, {frame + 8}});
    if (way == 2) vm.operate(EventKind::kVcpuTlbFlush);
    // Elsewhere, but below the same links of higher levels.
    if (way == 3) vm.mmu().tlbs->flush_range({{frame + 512}, {frame + 513}});
    CHECK(tables_read(vm, kFirst) == (way == 3 ? 1 : 4));
  }
}

TEST_CASE("a fault drops the links on its way") {
  Audited vm = vm_with(Flavour::kTdp, {4, 4, 4, 0});
  vm.access(kFirst);
  vm.access(kFirst + 2 * kMiB);
  CHECK(vm.access(kFirst + 4 * kMiB).tables_read == 1);
  vm.mmu().tlbs->request_flush();
  CHECK(tables_read(vm, kFirst) == 4);
  // Emulated: nothing is remembered anew, and the upper links were its too.
  CHECK(vm.access(kFirst + 64 * kMiB).code == OutcomeCode::kEmulate);
  CHECK(tables_read(vm, kFirst + 2 * kMiB) == 4);
  CHECK(tables_read(vm, kFirst) == 1);
}

TEST_CASE("stale-translation: a link that a flush left, once, all below it") {
  Audited vm = vm_with(Flavour::kTdp, {4, 4, 4, 0});
  vm.access(kFirst);
  vm.access(kFirst + 2 * kMiB);
  relink(vm, kFirst);
  flush_is_over(vm, kFirst + 2 * kMiB);
  CHECK(fired(vm) == 0);
  flush_is_over(vm, kFirst);
  CHECK(fired(vm) == 0);
  // Another page than the flush was about: all of the table is another.
  CHECK(vm.access(kFirst + 17 * kPage).code == OutcomeCode::kFixed);
  CHECK(fired(vm) == 1);
  vm.access(kFirst + 33 * kPage);
  CHECK(fired(vm) == 1);
}

TEST_CASE("a link that went unflushed is dropped, and nobody is blamed") {
  Audited vm = vm_with(Flavour::kTdp, {4, 4, 4, 0});
  vm.access(kFirst);
  vm.access(kFirst + 2 * kMiB);
  relink(vm, kFirst);
  CHECK(vm.access(kFirst + 17 * kPage).tables_read == 2);
  CHECK(fired(vm) == 0);
}

TEST_CASE("an audit finds a link that is remembered and gone") {
  Audited vm = vm_with(Flavour::kTdp, {4, 4, 4, 0});
  vm.access(kFirst);
  vm.access(kFirst + 2 * kMiB);
  CHECK(vm.found() == "");
  relink(vm, kFirst);
  CHECK(vm.found() ==
        "accounting-mismatch: vCPU 0 has cached a link that is gone at "
        "0x1000000 level 2");
  vm.mmu().tlbs->request_flush();
  CHECK(vm.found() == "");
}

TEST_CASE("VMs that remember other links have other fingerprints") {
  Audited vm = vm_with(Flavour::kTdp, {1, 1, 0, 0});
  vm.access(kFirst);
  const mmu::Fingerprint full = mmu::fingerprint(mmu::state_parts(vm.mmu()));
  // A neighbour of the page that is cached: only links go.
  const std::uint64_t next = (kFirst >> mmu::kPageShift) + 1;
  vm.mmu().tlbs->flush_range({{next}, {next + 1}});
  CHECK((*vm.mmu().tlbs)[0].used() == 1);
  CHECK(mmu::fingerprint(mmu::state_parts(vm.mmu())) != full);
}

TEST_CASE("a flush that is asked for and one that was served look alike") {
  const auto flushed = [](bool served) {
    Audited vm = vm_with(Flavour::kTdp, {1, 1, 0, 0});
    vm.access(kFirst);
    vm.mmu().tlbs->request_flush();
    if (served) CHECK((*vm.mmu().tlbs)[0].used() == 0);
    return mmu::fingerprint(mmu::state_parts(vm.mmu()));
  };
  CHECK(flushed(true) == flushed(false));
}
