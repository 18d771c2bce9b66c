// What each strategy does, table by table, its topics as rows: the ways up to
// the role bit. The later ones are in strategy_tables_later_test.cpp.
#include "strategy_cells.hpp"

using namespace cells;  // NOLINT: the tables' own vocabulary
using mmu::EventKind;
using mmu::Outcome;
using mmu::OutcomeCode;

namespace {

constexpr std::string_view kOne[] = {"all"};

template <class Check>
void s0(Check check) {
  each("duplicate-slots", kBits, check);
}
template <class Check>
void s1(Check check) {
  each("stolen-bits", kBits, check);
}
constexpr Setup kS1Tdx{"stolen-bits-tdx", kRmap, kTdx};
constexpr Setup kS2{"role-private", kTdp, kTdx};

// clang-format off
constexpr std::string_view kS0Topics[] = {
    "state kept", "lookup", "fault on A, B mapped", "zap by HVA", "slot delete", "write-protect, dirty",
    "shadow write tracking", "range flush, full", "huge page"};
const Cell kS0[] = {
    {"state kept", "all", [] { s0([](const Setup& s) {
       const Vm vm = with_both(s);
       // Each slot has its own reverse map, under its own frames.
       CHECK(world::rmap_count(*vm, kA) == (s.mmu == kRmap ? 1 : 0));
       CHECK(vm->leaves(false).size() == 2); }); }},
    {"lookup", "all", [] { s0([](const Setup& s) { CHECK(has_hole_at(s, 2 * kA | kBit, 2 * kA | kBit)); }); }},
    {"fault on A, B mapped", "all", [] { s0([](const Setup& s) {
       const Vm vm = world::one_page({s.strategy, s.mmu, "xo:47"});
       CHECK(world::fetch(*vm, kB).code == OutcomeCode::kFixed);
       const std::uint64_t b = world::entry_at(*vm, kB);
       CHECK(world::access(*vm, kA).sptes_changed == 4);
       CHECK(world::entry_at(*vm, kB) == b);
       CHECK((b & 7) == 4);
       CHECK((world::entry_at(*vm, kA) & mmu::bits(51, 12)) == (b & mmu::bits(51, 12))); }); }},
    {"zap by HVA", "all", [] { s0([](const Setup& s) {
       const Vm vm = with_both(s);
       CHECK(flushes(*vm, [&] { CHECK(world::unmap_host(*vm, kA).sptes_changed == 2); }) == full()); }); }},
    {"slot delete", "all", [] { s0([](const Setup& s) {
       const Vm vm = with_both(s);
       world::add(*vm, {.id = 1, .gpa = 2 * kA, .bytes = kPage});
       world::access(*vm, 2 * kA);
       REQUIRE(vm->set_memslot({.slot = 0}));
       // Everything, with the quirk on.
       CHECK(vm->leaves(true).empty()); }); }},
    {"write-protect, dirty", "all", [] { s0([](const Setup& s) {
       const Vm vm = with_both({s.strategy, s.mmu, "xo:47"}, mmu::MemslotRegion::kLogDirty);
       CHECK(world::access(*vm, kB).code == OutcomeCode::kRetry);
       CHECK(vm->memslots()[0].dirty_pages == 1);
       CHECK(log_protects(s) == 2); }); }},
    {"shadow write tracking", "all", [] { s0([](const Setup& s) { CHECK(tracks(s) == 2); }); }},
    {"range flush, full", "all", [] { s0([](const Setup& s) {
       CHECK(zap_flushes(with_provider(s, "hyperv")) == calls(2, 2));
       CHECK(zap_flushes(s) == full(2));
       CHECK(zap_flushes(with_provider(s, "hyperv"), false) == calls(1, 1)); }); }},
    {"huge page", "all", [] { s0([](const Setup& s) {
       const Vm vm = with_2m(s);
       world::access(*vm, 0);
       CHECK(level_at(*vm, 0) == 2);
       // The host's page is smaller by now, and A's leaf stays.
       world::host(*vm, 0, 4 * kMiB, mmu::HostState::kReadWrite);
       world::access(*vm, kBit);
       CHECK(level_at(*vm, kBit) == 1);
       CHECK(level_at(*vm, 0) == 2); }); }},
};

constexpr std::string_view kS1Topics[] = {
    "state kept", "lookup", "fault on A, B mapped", "zap by HVA", "slot delete", "write-protect, dirty",
    "shadow write tracking", "range flush", "full flush", "huge page"};
const Cell kS1[] = {
    {"state kept", "all", [] { s1([](const Setup& s) { CHECK(leaf_tables(*with_both(s)) == "direct:A direct:B"); }); }},
    {"lookup", "all", [] { s1([](const Setup& s) {
       // Slots by the frame without the bit, tables with it.
       CHECK(has_hole_at(s, 2 * kA | kBit, 2 * kA));
       const Vm vm = world::one_page(s);
       world::access(*vm, 2 * kA | kBit);
       CHECK(vm->leaves(true)[0].gpa == (2 * kA | kBit)); }); }},
    {"fault on A, B mapped", "all", [] { s1([](const Setup& s) {
       const Vm vm = with_b(s);
       CHECK(world::access(*vm, kA).sptes_changed == 4);
       CHECK(world::rmap_count(*vm, kA) == (s.mmu == kRmap ? 2 : 0)); }); }},
    {"zap by HVA", "all", [] { s1([](const Setup& s) {
       const Vm vm = with_both(s);
       CHECK(flushes(*vm, [&] { CHECK(world::unmap_host(*vm, kA).sptes_changed == 2); }) == full()); }); }},
    {"slot delete", "all", [] { s1([](const Setup& s) {
       const Vm vm = with_both(s);
       REQUIRE(vm->set_memslot({.slot = 0}));
       CHECK(vm->tables().by_level[1] == 0); }); }},
    {"write-protect, dirty", "all", [] { s1([](const Setup& s) {
       CHECK(log_protects(s) == 2);
       CHECK(with_both(s, mmu::MemslotRegion::kLogDirty)->memslots()[0].dirty_pages == 1); }); }},
    {"shadow write tracking", "all", [] { s1([](const Setup& s) { CHECK(tracks(s) == 2); }); }},
    {"range flush", "all", [] { s1([](const Setup& s) {
       CHECK(zap_flushes(with_provider(s, "hyperv")) == calls(2, 2));
       // The second fails, and nobody looks.
       CHECK(zap_flushes(with_provider(s, "fail:2")) == calls(1, 1)); }); }},
    {"full flush", "all", [] { s1([](const Setup& s) {
       CHECK(zap_flushes(s) == full());
       CHECK(zap_flushes(with_provider(s, "fail:1")) == full());
       CHECK(zap_flushes({s.strategy, s.mmu, "bits:46,47", "hyperv"}) == full()); }); }},
    {"huge page", "all", [] { s1([](const Setup& s) {
       const Vm vm = with_2m(s);
       world::access(*vm, 0);
       world::host(*vm, 0, 4 * kMiB, mmu::HostState::kReadWrite);
       world::access(*vm, kBit);
       CHECK(level_at(*vm, 0) == 2);
       CHECK(level_at(*vm, kBit) == 1); }); }},
};

constexpr std::string_view kS1TdxTopics[] = {
    "state kept", "lookup", "fault on A, B mapped", "zap by HVA", "slot delete", "write-protect, dirty",
    "range flush", "full flush"};
const Cell kS1TdxCells[] = {
    {"state kept", "all", [] {
       const Vm vm = with_a(kS1Tdx);
       world::unmap_host(*vm, kA);
       CHECK((world::entry_at(*vm, kA) & kBlocked) != 0);
       world::access(*vm, kB);
       CHECK(vm->tables().roots == 2); }},
    {"lookup", "all", [] { CHECK(leaf_tables(*with_both(kS1Tdx)) == "direct:B private:A"); }},
    {"fault on A, B mapped", "all", [] {
       const Vm vm = with_b(kS1Tdx);
       CHECK(flushes(*vm, [&] { CHECK(world::access(*vm, kA).code == OutcomeCode::kFixed); }) == full());
       CHECK(!world::is_mapped(*vm, kB));
       CHECK(world::rmap_count(*vm, kA) == 1); }},
    {"zap by HVA", "all", [] {
       const Vm shared = with_b(kS1Tdx);
       world::unmap_host(*shared, kA);
       CHECK(world::rmap_count(*shared, kA) == 0);
       const Vm kept = with_a(kS1Tdx);
       world::unmap_host(*kept, kA);
       CHECK(world::rmap_count(*kept, kA) == 1);
       CHECK((world::entry_at(*kept, kA) & kBlocked) != 0); }},
    {"slot delete", "all", [] {
       const Vm vm = of_both_kinds(kS1Tdx);
       REQUIRE(vm->set_memslot({.slot = 0}));
       CHECK(!world::is_mapped(*vm, kB));
       CHECK(world::is_mapped(*vm, kA + kPage)); }},
    {"write-protect, dirty", "all", [] {
       const Vm vm = with_a(kS1Tdx, mmu::MemslotRegion::kLogDirty);
       CHECK(vm->memslots()[0].dirty_pages == 0);
       CHECK(world::take_log(*vm).sptes_changed == 0);
       CHECK((world::entry_at(*vm, kA) & kWrite) != 0); }},
    {"range flush", "all", [] {
       const Vm vm = with_a(with_provider(kS1Tdx, "hyperv"));
       CHECK(flushes(*vm, [&] { world::access(*vm, kB); }) == calls(2, 2)); }},
    {"full flush", "all", [] {
       const Vm vm = with_a(with_provider(kS1Tdx, "fail:1"));
       CHECK(flushes(*vm, [&] { world::access(*vm, kB); }) == full()); }},
};

constexpr std::string_view kS2Topics[] = {
    "state kept", "lookup", "fault on A, B mapped", "zap by HVA", "slot delete", "write-protect, dirty",
    "range flush", "full flush"};
const Cell kS2Cells[] = {
    {"state kept", "all", [] { CHECK(with_both(kS2)->tables().roots == 2); }},
    {"lookup", "all", [] {
       CHECK(leaf_tables(*with_both(kS2)) == "direct:B private:A");
       // A range is given in frames without the bit, and meets shared leaves.
       const Vm vm = with_b(kS2);
       CHECK(world::zap(*vm, kA).sptes_changed == 1); }},
    {"fault on A, B mapped", "all", [] {
       const Vm vm = with_b(kS2);
       CHECK(world::access(*vm, kA).code == OutcomeCode::kFixed);
       CHECK(!world::is_mapped(*vm, kB));
       // Leaves alone: B's table stays.
       CHECK(leaf_tables(*vm) == "direct:B private:A"); }},
    {"zap by HVA", "all", [] {
       const Vm vm = of_both_kinds(kS2);
       world::unmap_host(*vm, kA, 2 * kPage);
       CHECK(!world::is_mapped(*vm, kB));
       CHECK((world::entry_at(*vm, kA + kPage) & kBlocked) != 0);
       CHECK(world::access(*vm, kA + kPage).code == OutcomeCode::kUnzapped); }},
    {"slot delete", "all", [] {
       const Vm vm = of_both_kinds(kS2);
       REQUIRE(vm->set_memslot({.slot = 0}));
       CHECK(vm->leaves(true).empty());
       // Of the private root only leaves went.
       CHECK(leaf_tables(*vm) == "private:A"); }},
    {"write-protect, dirty", "all", [] {
       const Vm vm = world::vm(kS2);
       world::add(*vm, {.gpa = kA, .bytes = 2 * kPage, .flags = mmu::MemslotRegion::kLogDirty});
       world::access(*vm, kB);
       world::access(*vm, kA + kPage);
       CHECK(vm->memslots()[0].dirty_pages == 1);
       CHECK(world::take_log(*vm).sptes_changed == 1);
       CHECK((world::entry_at(*vm, kA + kPage) & kWrite) != 0); }},
    {"range flush", "all", [] {
       // One for each private leaf that goes.
       const Vm vm = world::vm(kS2);
       world::add(*vm, {.gpa = kA, .bytes = 2 * kPage});
       for (const std::uint64_t gpa : {kA, kA + kPage}) world::access(*vm, gpa);
       CHECK(flushes(*vm, [&] { REQUIRE(vm->set_memslot({.slot = 0})); }) == full(2)); }},
    {"full flush", "all", [] {
       CHECK(refuses(with_provider(kS2, "hyperv")));
       CHECK(zap_flushes(kS2) == full()); }},
};
// clang-format on

}  // namespace

TEST_CASE("2.7a S0: duplicate-slots, topic by topic") {
  check_complete(kS0, kS0Topics, kOne);
  check_all(kS0);
}
TEST_CASE("2.7a S1: stolen-bits, topic by topic") {
  check_complete(kS1, kS1Topics, kOne);
  check_all(kS1);
}
TEST_CASE("2.7a S1 with TDX: stolen-bits-tdx, topic by topic") {
  check_complete(kS1TdxCells, kS1TdxTopics, kOne);
  check_all(kS1TdxCells);
}
TEST_CASE("2.7a S2: role-private, topic by topic") {
  check_complete(kS2Cells, kS2Topics, kOne);
  check_all(kS2Cells);
}
