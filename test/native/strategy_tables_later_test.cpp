// What each strategy does, table by table, its topics as rows: the patch of
// 2022, whose two flavours are two columns, and the merged design.
#include "strategy_cells.hpp"

using namespace cells;  // NOLINT: the tables' own vocabulary
using mmu::EventKind;
using mmu::Outcome;
using mmu::OutcomeCode;

namespace {

constexpr std::string_view kAll[] = {"all"};
constexpr std::string_view kBothColumns[] = {"tdp", "rmap"};

template <class Check>
void s3(mmu::Flavour mmu, Check check) {
  for (const std::string_view strategy : {"v5-as-posted", "v5-as-reviewed"}) {
    CAPTURE(strategy);
    check(Setup{strategy, mmu, kBits});
  }
}
constexpr Setup kS4{"mirror", kTdp, kTdx};

void deletes_all(const Setup& setup) {
  const Vm vm = with_both(setup);
  REQUIRE(vm->set_memslot({.slot = 0}));
  CHECK(vm->leaves(true).empty());
}
void unmaps_one(const Setup& setup) {
  const Vm vm = with_both(setup);
  CHECK(flushes(*vm, [&] {
          CHECK(world::unmap_host(*vm, kA).sptes_changed == 1);
        }) == full());
  CHECK(vm->leaves(false).empty());
}
// Of the two readings of the patch one flushes everything behind each call.
void calls_once(const Setup& setup) {
  const bool reviewed = setup.strategy == "v5-as-reviewed";
  CHECK(zap_flushes(with_provider(setup, "hyperv")) ==
        world::to_text({.range = 1, .pages = 1, .full = reviewed ? 1u : 0u}));
}
void flushes_all(const Setup& setup) {
  CHECK(zap_flushes(setup) == full());
  CHECK(zap_flushes(with_provider(setup, "fail:1")) == full());
  CHECK(zap_flushes({setup.strategy, setup.mmu, "bits:46,47", "hyperv"}) ==
        full());
}
// 2M of two memory types, asked for at the address with the bit.
void asks_raw(const Setup& setup) {
  mmu::MachineConfig config = setup.config();
  config.host.memory_types = true;
  for (const std::uint64_t alias : {std::uint64_t{0}, kBit}) {
    const Vm vm = world::vm(config);
    world::add(*vm, {.bytes = 4 * kMiB, .backing = 2});
    REQUIRE(vm->set_mtrr(0x2ff, mmu::bit(11) | 6));
    REQUIRE(vm->set_mtrr(0x200, 3 * kMiB));
    REQUIRE(vm->set_mtrr(0x201, (kBit - kPage) | mmu::bit(11)));
    world::access(*vm, 2 * kMiB | alias);
    CHECK(vm->leaves(false)[0].level == (alias == 0 ? 1 : 2));
  }
}
OutcomeCode at_internal(Setup setup, bool& mapped_at_a) {
  setup.internal_slots = true;
  const Vm vm = world::vm(setup);
  const OutcomeCode code = world::access(*vm, 0xfee00000 | kBit).code;
  mapped_at_a = world::is_mapped(*vm, 0xfee00000);
  return code;
}

// clang-format off
constexpr std::string_view kS3Topics[] = {
    "state kept", "lookup", "fault on A, B mapped", "zap by HVA", "slot delete", "write-protect, dirty",
    "range flush", "full flush", "huge page", "internal slots"};
const Cell kS3[] = {
    {"state kept", "tdp", [] { s3(kTdp, [](const Setup& s) {
       CHECK(leaf_tables(*with_both(s)) == "direct:A");
       CHECK(with_both(s)->tables().roots == 1); }); }},
    {"state kept", "rmap", [] { s3(kRmap, [](const Setup& s) {
       CHECK(leaf_tables(*with_both(s)) == "direct:A");
       CHECK(with_both(s)->tables().roots == 1); }); }},
    {"lookup", "tdp", [] { s3(kTdp, [](const Setup& s) {
       CHECK(has_hole_at(s, 2 * kA | kBit, 2 * kA));
       const Vm vm = with_b(s);
       CHECK(world::is_mapped(*vm, kA));
       CHECK(!world::is_mapped(*vm, kB)); }); }},
    {"lookup", "rmap", [] { s3(kRmap, [](const Setup& s) {
       CHECK(has_hole_at(s, 2 * kA | kBit, 2 * kA));
       const Vm vm = with_b(s);
       CHECK(world::is_mapped(*vm, kB));
       CHECK(!world::is_mapped(*vm, kA)); }); }},
    {"fault on A, B mapped", "tdp", [] { s3(kTdp, [](const Setup& s) {
       // B's fault has left A mapped, and B without anything.
       const Vm vm = with_b(s);
       CHECK(world::access(*vm, kA).code == OutcomeCode::kHit);
       CHECK(world::access(*vm, kB).code == OutcomeCode::kStuck); }); }},
    {"fault on A, B mapped", "rmap", [] { s3(kRmap, [](const Setup& s) {
       const Vm vm = with_b(s);
       const Outcome out = world::access(*vm, kA);
       CHECK(out.code == OutcomeCode::kSpurious);
       CHECK(out.sptes_changed == 1);
       CHECK(pages_4k(*vm) == 1); }); }},
    {"zap by HVA", "tdp", [] { s3(kTdp, unmaps_one); }},
    {"zap by HVA", "rmap", [] { s3(kRmap, unmaps_one); }},
    {"slot delete", "tdp", [] { s3(kTdp, deletes_all); }},
    {"slot delete", "rmap", [] { s3(kRmap, deletes_all); }},
    {"write-protect, dirty", "tdp", [] { s3(kTdp, [](const Setup& s) {
       CHECK(log_protects(s) == 1);
       CHECK(tracks(s) == 1); }); }},
    {"write-protect, dirty", "rmap", [] { s3(kRmap, [](const Setup& s) {
       CHECK(log_protects(s) == 1);
       CHECK(tracks(s) == 1); }); }},
    {"range flush", "tdp", [] { s3(kTdp, calls_once); }},
    {"range flush", "rmap", [] {
       s3(kRmap, calls_once);
       // B stays cached.
       Setup s = with_provider({"v5-as-posted", kRmap, kBits}, "hyperv");
       s.tlb = true;
       const Vm vm = with_both(s);
       world::zap(*vm, kA);
       CHECK(world::access(*vm, kB).tables_read == 0); }},
    {"full flush", "tdp", [] { s3(kTdp, flushes_all); }},
    {"full flush", "rmap", [] { s3(kRmap, flushes_all); }},
    {"huge page", "tdp", [] { s3(kTdp, asks_raw); }},
    {"huge page", "rmap", [] { s3(kRmap, asks_raw); }},
    {"internal slots", "tdp", [] { s3(kTdp, [](const Setup& s) {
       bool at_a = false;
       CHECK(at_internal(s, at_a) == OutcomeCode::kStuck);
       CHECK(at_a); }); }},
    {"internal slots", "rmap", [] { s3(kRmap, [](const Setup& s) {
       bool at_a = true;
       CHECK(at_internal(s, at_a) == OutcomeCode::kFixed);
       CHECK(!at_a); }); }},
};

constexpr std::string_view kS4Topics[] = {
    "state kept", "lookup", "fault on A, B mapped", "zap by HVA", "slot delete", "write-protect, dirty",
    "shadow write tracking", "range flush", "full flush", "huge page"};
const Cell kS4Cells[] = {
    {"state kept", "all", [] {
       const Vm vm = of_both_kinds(kS4);
       CHECK(vm->tables().roots == 2);
       CHECK(vm->is_private(kA + kPage).value());
       CHECK(!vm->is_private(kA).value()); }},
    {"lookup", "all", [] {
       const Vm vm = of_both_kinds(kS4);
       CHECK(leaf_tables(*vm) == "direct:B private:A");
       CHECK(world::is_mapped(*vm, kB));
       CHECK(world::is_mapped(*vm, kA + kPage)); }},
    {"fault on A, B mapped", "all", [] {
       const Vm vm = with_b(kS4);
       CHECK(world::access(*vm, kA).code == OutcomeCode::kMemoryFault);
       CHECK(world::is_mapped(*vm, kB));
       // The conversion zaps, and then there is nothing in the way.
       CHECK(world::convert(*vm, kA, kPage, true).sptes_changed == 1);
       CHECK(world::access(*vm, kA).code == OutcomeCode::kFixed); }},
    {"zap by HVA", "all", [] {
       const Vm vm = of_both_kinds(kS4);
       CHECK(flushes(*vm, [&] { CHECK(world::unmap_host(*vm, kA, 2 * kPage).sptes_changed == 1); }) == full());
       CHECK(world::is_mapped(*vm, kA + kPage)); }},
    {"slot delete", "all", [] {
       const Vm vm = of_both_kinds(kS4);
       const auto tables = vm->tables().by_level[1];
       CHECK(flushes(*vm, [&] { REQUIRE(vm->set_memslot({.slot = 0})); }) == full());
       CHECK(vm->leaves(true).empty());
       // Leaves alone, in both roots.
       CHECK(vm->tables().by_level[1] == tables); }},
    {"write-protect, dirty", "all", [] {
       mmu::MachineConfig config = kS4.config();
       const Vm vm = world::vm(config);
       const auto file = vm->create_guest_memfd(kPage, 0);
       REQUIRE(file);
       mmu::MemslotRegion region = world::Slot{.gpa = kA, .bytes = kPage}.region();
       region.flags = mmu::MemslotRegion::kGuestMemfd | mmu::MemslotRegion::kLogDirty;
       region.memfd = file.value();
       // Impossible where a slot has private memory.
       CHECK(!vm->set_memslot(region));
       region.flags = mmu::MemslotRegion::kGuestMemfd;
       CHECK(vm->set_memslot(region));
       CHECK(log_protects(kS4) == 1); }},
    {"shadow write tracking", "all", nullptr, "KVM refuses it in such a VM; here an event asks, and it acts on shared memory"},
    {"range flush", "all", [] { CHECK(refuses(with_provider(kS4, "hyperv"))); }},
    {"full flush", "all", [] { CHECK(zap_flushes(kS4) == full()); }},
    {"huge page", "all", [] {
       const Vm vm = with_2m(kS4);
       world::share(*vm, 0, 2 * kMiB);
       world::access(*vm, kBit);
       CHECK(level_at(*vm, kBit) == 2);
       world::access(*vm, 2 * kMiB);
       CHECK(level_at(*vm, 2 * kMiB) == 1); }},
};
// clang-format on

}  // namespace

TEST_CASE("2.7a S3: the patch of 2022, topic by topic and MMU by MMU") {
  check_complete(kS3, kS3Topics, kBothColumns);
  check_all(kS3);
}
TEST_CASE("2.7a S4: mirror, topic by topic") {
  check_complete(kS4Cells, kS4Topics, kAll);
  check_all(kS4Cells);
}
