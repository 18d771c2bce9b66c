// Rule accounting-mismatch: counters, logs and caches that were true, each made
// false.
#include "audited_world.hpp"
#include "core/audit/audit_findings.hpp"

using mmu::EventKind;
using mmu::Flavour;
using mmu::Level;
using mmu::TableRef;
using mmu::words;
using world::Audited;
using world::kA;
using world::kB;
using world::kMiB;
using world::kPage;

namespace {

constexpr std::string_view kRule = "accounting-mismatch: ";
constexpr std::uint32_t kLogDirty = mmu::MemslotRegion::kLogDirty;

Audited sound(const mmu::MachineConfig& config, world::Slot slot) {
  Audited vm(config);
  vm.add(slot);
  vm.access(slot.gpa);
  REQUIRE(vm.found() == "");
  return vm;
}

Audited plain(std::uint32_t flags = 0) {
  return sound({}, {.gpa = kA, .bytes = 4 * kPage, .flags = flags});
}

mmu::Memslot& slot_of(Audited& vm) { return *vm.mmu().slots().slots()[0]; }

std::string kept(std::string_view what, std::uint64_t is, std::uint64_t found) {
  return words(kRule, what, " is kept as ", is, ", where ", found,
               " are found");
}

}  // namespace

TEST_CASE("an audit finds every counter that differs from what it counts") {
  Audited vm = plain();
  mmu::Mmu& mmu = vm.mmu();
  const auto off_by_one = [&](std::uint64_t& counter) {
    ++counter;
    std::string found = vm.found();
    --counter;
    return found;
  };
  CHECK(off_by_one(mmu.accounts.leaves[1]) == kept("pages_4k", 2, 1));
  CHECK(off_by_one(mmu.accounts.leaves[2]) == kept("pages_2m", 1, 0));
  CHECK(off_by_one(mmu.accounts.mmio) ==
        kept("the number of MMIO entries", 1, 0));
  CHECK(off_by_one(mmu.accounts.tables[3]) ==
        kept("the number of level-3 tables", 2, 1));
  CHECK(off_by_one(mmu.stats.mmu_cache_miss) ==
        kept("mmu_cache_miss less mmu_shadow_zapped", 1, 0));
  CHECK(off_by_one(mmu.vcpus[0].pf_fixed) ==
        words(kRule, "vCPU 0 has pf_taken 1, and answers to 2 faults"));
  CHECK(vm.found() == "");
}

TEST_CASE("an audit finds a compact table that miscounts its entries") {
  Audited vm = plain();
  const TableRef table = vm.table(kA, Level::k4K);
  REQUIRE(table.compact);
  mmu::CompactPage& page = vm.mmu().pool.compact(table.id);
  ++page.header.count;
  CHECK(vm.found() == words(kRule, "compact page ", table.id,
                            " counts 2 entries, and has 1 at 0x0 level 1"));
  --page.header.count;
  page.keys[1] = page.keys[0];
  CHECK(vm.found() != "");
}

TEST_CASE("an audit finds a queued table that keeps no huge page out") {
  mmu::MachineConfig config;
  config.host.nx_huge_pages = true;
  Audited vm = sound(config, {.bytes = 2 * kMiB, .backing = 2});
  vm.access(0, mmu::kAccessFetch);
  REQUIRE(vm.mmu().nx_pages->size() == 1);
  CHECK(vm.found() == "");
  const mmu::PageId id = vm.mmu().nx_pages->first();
  vm.mmu().pool.header(id).nx_huge_page_disallowed = false;
  CHECK(vm.found() == words(kRule, "page ", id,
                            " is counted in nx_lpage_splits and keeps no huge "
                            "page out"));
}

TEST_CASE("an audit finds a dirty log that contradicts itself or its slot") {
  Audited vm = plain(kLogDirty);
  mmu::Memslot& slot = slot_of(vm);
  auto& masks = Audited::mine(slot.dirty->words());
  masks[0] |= std::uint64_t{1} << 40;
  CHECK(vm.found() ==
        words(kRule, "the log of slot 0 has bits behind its end"));
  masks[0] = 0;
  CHECK(vm.found() == words(kRule,
                            "a leaf may be written whose page is clean in the "
                            "log of slot 0 at 0x100000 level 1"));
  slot.dirty->take([](std::size_t, std::uint64_t) {});
  masks[0] = 1;
  CHECK(vm.found() == kept("the number of dirty pages of slot 0", 0, 1));
  slot.dirty->set(0);
  CHECK(vm.found() == "");
  slot.flags = 0;
  CHECK(vm.found() == words(kRule,
                            "slot 0 has a dirty bitmap, and its flags say "
                            "otherwise"));
}

TEST_CASE("an audit finds a write that a watcher would miss") {
  Audited vm = plain();
  const mmu::Gfn gfn{kA >> mmu::kPageShift};
  slot_of(vm).tracked.add({gfn, {gfn.value + 1}});
  CHECK(vm.found() == words(kRule,
                            "a leaf may be written whose frames in slot 0 are "
                            "watched at 0x100000 level 1"));
}

TEST_CASE("an audit finds a hole noted where memory is") {
  Audited vm = plain();
  TableRef table = vm.table(kA, Level::k4K);
  const unsigned index = mmu::table_index({(kA >> 12) + 1}, Level::k4K);
  const std::uint64_t now = vm.mmu().slots().mmio_generation();
  vm.tree().set_spte(table, index, mmu::make_mmio({(kA >> 12) + 1}, now));
  CHECK(vm.found() == words(kRule,
                            "an MMIO entry of this generation stands in slot 0 "
                            "at 0x101000 level 1"));
  vm.tree().set_spte(table, index, mmu::make_mmio({(kA >> 12) + 1}, now + 2));
  CHECK(vm.found() == "");
}

TEST_CASE("an audit finds a huge leaf that its slot has no room for") {
  Audited vm = plain();
  TableRef table = vm.table(kA, Level::k2M);
  const mmu::Spte huge = mmu::make_leaf({0x200}, Level::k2M, true);
  vm.tree().set_spte(table, 1, huge);
  CHECK(vm.found() == "");  // of no slot
  Audited other = sound({}, {.bytes = 2 * kMiB + kPage, .backing = 2});
  TableRef second = other.table(0, Level::k2M);
  other.tree().set_spte(second, 1, huge);
  CHECK(other.found() == words(kRule,
                               "a huge leaf does not fit slot 0 at 0x200000 "
                               "level 2"));
}

TEST_CASE("an audit finds a leaf that its page's attribute forbids") {
  for (const Flavour flavour : {Flavour::kTdp, Flavour::kRmap}) {
    Audited vm(world::Setup{"precise", flavour, "tdx47"});
    vm.add({.gpa = kA, .bytes = kPage});
    vm.operate(EventKind::kAttributes, kA, kPage, 0);
    vm.access(kB);
    REQUIRE(vm.found() == "");
    const mmu::Gfn gfn{kA >> mmu::kPageShift};
    vm.mmu().private_frames.add({gfn, {gfn.value + 1}});
    CHECK(vm.found() == words(kRule,
                              "a leaf maps pages against their attribute at "
                              "0x800000100000 level 1"));
  }
}

TEST_CASE("of each rule the first hundred are kept and all are counted") {
  Audited vm(mmu::MachineConfig{});
  vm.add({.bytes = kMiB});
  for (std::uint64_t gpa = 0; gpa < kMiB; gpa += kPage) vm.access(gpa);
  slot_of(vm).tracked.add({{0}, {256}});
  const mmu::AuditReport report = vm.audit();
  CHECK(report.findings.size() == 100);
  REQUIRE(report.counts.size() == 1);
  CHECK(report.counts[0].rule == "accounting-mismatch");
  CHECK(report.counts[0].count == 256);
  CHECK(report.events == 256);
}
