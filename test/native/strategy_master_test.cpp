// What each strategy does about each topic, side by side: the page at frame
// 0x100 of a slot of its own, touched through A, then through B.
//
// Columns are S0 duplicate-slots, S1 stolen-bits and stolen-bits-tdx, S2
// role-private, S3 v5-as-posted and v5-as-reviewed, S4 mirror.
#include "strategy_cells.hpp"

using namespace cells;  // NOLINT: the table's own vocabulary
using mmu::EventKind;
using mmu::Outcome;
using mmu::OutcomeCode;

namespace {

constexpr std::string_view kTopics[] = {
    "VM state",         "table key",   "walk address",    "leaves after both",
    "fault on B",       "rights",      "HVA unmap",       "slot delete",
    "dirty log",        "range flush", "more alias bits", "internal slots at B",
    "MTRR consistency", "async key"};
constexpr std::string_view kColumns[] = {"S0",     "S1",      "S2",
                                         "S3 tdp", "S3 rmap", "S4"};

constexpr std::string_view kS3[] = {"v5-as-posted", "v5-as-reviewed"};

template <class Check>
void each_s3(mmu::Flavour mmu, Check check, std::string_view preset = kBits) {
  for (const std::string_view strategy : kS3) {
    CAPTURE(strategy);
    check(Setup{strategy, mmu, preset});
  }
}

void has_roots(const Setup& setup, std::uint64_t roots) {
  CHECK(with_both(setup)->tables().roots == roots);
}
void has_keys(const Setup& setup, std::string_view keys) {
  CHECK(leaf_tables(*with_both(setup)) == keys);
}
// Where the leaf lands if B alone is touched.
void walks(const Setup& setup, bool by_b) {
  const Vm vm = with_b(setup);
  CHECK(world::is_mapped(*vm, kB) == by_b);
  CHECK(world::is_mapped(*vm, kA) == !by_b);
}
void has_leaves(const Setup& setup, std::uint64_t stored,
                std::uint64_t reached) {
  const Vm vm = with_both(setup);
  CHECK(pages_4k(*vm) == stored);
  CHECK(vm->leaves(false).size() == reached);
}
void faults(const Setup& setup, OutcomeCode code, std::uint32_t changed) {
  const Vm vm = with_a(setup);
  const Outcome out = world::access(*vm, kB);
  CHECK(out.code == code);
  CHECK(out.sptes_changed == changed);
}
void unmaps(const Setup& setup, std::uint32_t changed) {
  const Vm vm = with_both(setup);
  const Outcome out = world::unmap_host(*vm, kA);
  CHECK(out.sptes_changed == changed);
  CHECK(out.flush == 2);
  CHECK(!world::is_mapped(*vm, kB));
}
void deletes_all(const Setup& setup) {
  const Vm vm = with_both(setup);
  REQUIRE(vm->set_memslot({.slot = 0}));
  CHECK(vm->leaves(true).empty());
}
// Through B, or A where B never runs: one bit, and so many leaves lose W.
void logs(const Setup& setup, std::uint32_t protects,
          std::uint64_t through = kB) {
  const Vm vm = with_both(setup, mmu::MemslotRegion::kLogDirty);
  world::access(*vm, through);
  CHECK(vm->memslots()[0].dirty_pages == 1);
  CHECK(world::take_log(*vm).sptes_changed == protects);
  for (const mmu::LeafView& leaf : vm->leaves(false)) {
    CHECK((leaf.spte & kWrite) == 0);
  }
}
void zaps(Setup setup, std::string_view provider, const std::string& flushed) {
  setup.provider = provider;
  const Vm vm = with_both(setup);
  CHECK(flushes(*vm, [&] { world::zap(*vm, kA); }) == flushed);
}
void has_no_provider(Setup setup) {
  setup.provider = "hyperv";
  CHECK(refuses(setup));
  setup.provider = "none";
  zaps(setup, "none", full());
}
void meets_internal(Setup setup, OutcomeCode at_b, bool b_is_mapped) {
  setup.internal_slots = true;
  constexpr std::uint64_t kApic = 0xfee00000;
  const Vm vm = world::vm(setup);
  CHECK(world::access(*vm, kApic | kBit).code == at_b);
  CHECK(world::is_mapped(*vm, kApic | kBit) == b_is_mapped);
}
// The level of a page whose 2M has two memory types, through each alias.
void has_levels(const Setup& setup, unsigned at_a, unsigned at_b) {
  for (const std::uint64_t alias : {std::uint64_t{0}, kBit}) {
    mmu::MachineConfig config = setup.config();
    config.host.memory_types = true;
    const Vm vm = world::vm(config);
    world::add(*vm, {.bytes = 4 * kMiB, .backing = 2});
    REQUIRE(vm->set_mtrr(0x2ff, mmu::bit(11) | 6));
    REQUIRE(vm->set_mtrr(0x200, 3 * kMiB));
    REQUIRE(vm->set_mtrr(0x201, (kBit - kPage) | mmu::bit(11)));
    if (converts(setup) && alias != 0) world::share(*vm, 2 * kMiB, 2 * kMiB);
    world::access(*vm, 2 * kMiB | alias);
    const auto leaves = vm->leaves(false);
    REQUIRE(!leaves.empty());
    CHECK(leaves[0].level == (alias == 0 ? at_a : at_b));
  }
}
// How many faults wait while A and B both do, and so are finished.
void waits_by(const Setup& setup, std::uint64_t keys,
              std::uint64_t first = kA) {
  mmu::MachineConfig config = setup.config();
  config.host.async_page_faults = true;
  const Vm vm = world::vm(config);
  world::add(*vm, {.gpa = kA, .bytes = kPage});
  if (converts(setup)) world::share(*vm, kA);
  world::host(*vm, kA, kPage, mmu::HostState::kIo);
  for (const std::uint64_t gpa : {first, kB}) {
    CHECK(world::access(*vm, gpa).code == OutcomeCode::kRetry);
  }
  const std::uint64_t before = world::stats(*vm)["pf_fixed"];
  world::of_vcpu(*vm, EventKind::kAsyncReady, 0);
  CHECK(world::stats(*vm)["pf_fixed"] - before == keys);
}
void fetches_only(const Setup& setup) {
  const Vm vm = with_a({setup.strategy, setup.mmu, "xo:47"});
  CHECK(world::access(*vm, kB).code == OutcomeCode::kRetry);
  CHECK(world::fetch(*vm, kB).code == OutcomeCode::kFixed);
  CHECK((world::entry_at(*vm, kB) & 7) == 4);
  CHECK((world::entry_at(*vm, kA) & 7) == 7);
}

constexpr std::string_view kS0s = "duplicate-slots";
constexpr std::string_view kS1s = "stolen-bits";
constexpr Setup kS1Tdx{"stolen-bits-tdx", kRmap, kTdx};
constexpr Setup kS2{"role-private", kTdp, kTdx};
constexpr Setup kS4{"mirror", kTdp, kTdx};

template <class Check>
void s0(Check check) {
  each(kS0s, kBits, check);
}
template <class Check>
void s1(Check check) {
  each(kS1s, kBits, check);
}

// clang-format off
const Cell kCells[] = {
    {"VM state", "S0", [] { s0([](const Setup& s) {
       has_roots(s, 1);
       // A slot and its twin: two steps of two.
       CHECK(world::one_page(s)->generation(0) == 4); }); }},
    {"VM state", "S1", [] {
       s1([](const Setup& s) { has_roots(s, 1); CHECK(world::one_page(s)->generation(0) == 2); });
       has_roots(kS1Tdx, 2); }},
    {"VM state", "S2", [] { has_roots(kS2, 2); }},
    {"VM state", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) { has_roots(s, 1); }); }},
    {"VM state", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) { has_roots(s, 1); }); }},
    {"VM state", "S4", [] { has_roots(kS4, 2); }},

    {"table key", "S0", [] { s0([](const Setup& s) { has_keys(s, "direct:A direct:B"); }); }},
    {"table key", "S1", [] {
       s1([](const Setup& s) { has_keys(s, "direct:A direct:B"); });
       has_keys(kS1Tdx, "direct:B private:A"); }},
    {"table key", "S2", [] { has_keys(kS2, "direct:B private:A"); }},
    {"table key", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) { has_keys(s, "direct:A"); }); }},
    {"table key", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) { has_keys(s, "direct:A"); }); }},
    {"table key", "S4", [] { has_keys(kS4, "direct:B private:A"); }},

    {"walk address", "S0", [] { s0([](const Setup& s) { walks(s, true); }); }},
    {"walk address", "S1", [] { s1([](const Setup& s) { walks(s, true); }); walks(kS1Tdx, true); }},
    {"walk address", "S2", [] { walks(kS2, true); }},
    {"walk address", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) { walks(s, false); }); }},
    {"walk address", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) { walks(s, true); }); }},
    {"walk address", "S4", [] { walks(kS4, true); }},

    {"leaves after both", "S0", [] { s0([](const Setup& s) { has_leaves(s, 2, 2); }); }},
    {"leaves after both", "S1", [] {
       s1([](const Setup& s) { has_leaves(s, 2, 2); });
       has_leaves(kS1Tdx, 1, 1); }},
    {"leaves after both", "S2", [] { has_leaves(kS2, 1, 1); }},
    {"leaves after both", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) { has_leaves(s, 1, 1); }); }},
    {"leaves after both", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) { has_leaves(s, 1, 2); }); }},
    {"leaves after both", "S4", [] {
       has_leaves(kS4, 1, 1);
       // By structure there is room for two.
       CHECK(world::last_step(*with_both(kS4), kA).level == 1); }},

    {"fault on B", "S0", [] { s0([](const Setup& s) { faults(s, OutcomeCode::kFixed, 4); }); }},
    {"fault on B", "S1", [] {
       s1([](const Setup& s) { faults(s, OutcomeCode::kFixed, 4); });
       // A blocked, and dropped.
       faults(kS1Tdx, OutcomeCode::kFixed, 2 + 4); }},
    {"fault on B", "S2", [] {
       // Two changes of A's leaf as well: blocked, dropped.
       faults(kS2, OutcomeCode::kFixed, 2 + 4);
       CHECK(!world::is_mapped(*with_both(kS2), kA)); }},
    {"fault on B", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) {
       faults(s, OutcomeCode::kStuck, 0);
       const Vm vm = with_both(s);
       for (int again = 0; again < 3; ++again) CHECK(world::access(*vm, kB).code == OutcomeCode::kStuck);
       CHECK(world::stats(*vm)["pf_spurious"] == 8); }); }},
    {"fault on B", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) {
       faults(s, OutcomeCode::kSpurious, 1);
       CHECK(world::tables_of(*with_both(s), 3)[0].parents == 2); }); }},
    {"fault on B", "S4", [] {
       faults(kS4, OutcomeCode::kMemoryFault, 0);
       CHECK(world::is_mapped(*with_both(kS4), kB)); }},

    {"rights", "S0", [] { s0(fetches_only); }},
    {"rights", "S1", [] { s1(fetches_only); }},
    {"rights", "S2", nullptr, "no preset that it has gives aliases other rights"},
    {"rights", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) {
       const Vm vm = with_a(s);
       CHECK(world::fetch(*vm, kB).code == OutcomeCode::kStuck);
       CHECK((world::entry_at(*vm, kA) & 7) == 7); }, "xo:47"); }},
    {"rights", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) {
       const Vm vm = with_a(s);
       world::fetch(*vm, kB);
       CHECK((world::entry_at(*vm, kB) & 7) == 7);
       CHECK(world::entry_at(*vm, kA) == world::entry_at(*vm, kB)); }, "xo:47"); }},
    {"rights", "S4", nullptr, "both roots' leaves have all rights: nothing sets them apart"},

    {"HVA unmap", "S0", [] { s0([](const Setup& s) { unmaps(s, 2); }); }},
    {"HVA unmap", "S1", [] {
       s1([](const Setup& s) { unmaps(s, 2); });
       CHECK(world::rmap_count(*with_both({kS1s, kRmap}), kA) == 2); }},
    {"HVA unmap", "S2", [] { unmaps(kS2, 1); }},
    {"HVA unmap", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) { unmaps(s, 1); }); }},
    {"HVA unmap", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) {
       unmaps(s, 1);
       const Vm vm = with_both(s);
       world::unmap_host(*vm, kA);
       CHECK(!world::is_mapped(*vm, kA)); }); }},
    {"HVA unmap", "S4", [] {
       unmaps(kS4, 1);
       const Vm vm = with_a(kS4);
       CHECK(world::unmap_host(*vm, kA).sptes_changed == 0);
       CHECK(world::is_mapped(*vm, kA)); }},

    {"slot delete", "S0", [] { s0([](const Setup& s) {
       mmu::MachineConfig config = s.config();
       config.host.slot_zap_all = false;
       const Vm vm = world::vm(config);
       world::add(*vm, {.gpa = kA, .bytes = kPage});
       world::add(*vm, {.id = 1, .gpa = 2 * kA, .bytes = kPage});
       for (const std::uint64_t gpa : {kA, kB, 2 * kA, 2 * kA | kBit}) world::access(*vm, gpa);
       REQUIRE(vm->set_memslot({.slot = 0}));
       // The model's slot goes with its twin.
       CHECK(vm->leaves(false).size() == 2);
       CHECK(world::is_mapped(*vm, 2 * kA)); }); }},
    {"slot delete", "S1", [] { s1(deletes_all); }},
    {"slot delete", "S2", [] { deletes_all(kS2); }},
    {"slot delete", "S3 tdp", [] { each_s3(kTdp, deletes_all); }},
    {"slot delete", "S3 rmap", [] { each_s3(kRmap, deletes_all); }},
    {"slot delete", "S4", [] {
       deletes_all(kS4);
       const Vm vm = with_a(kS4);
       REQUIRE(vm->set_memslot({.slot = 0}));
       CHECK(vm->leaves(true).empty()); }},

    {"dirty log", "S0", [] { s0([](const Setup& s) { logs(s, 2); }); }},
    {"dirty log", "S1", [] { s1([](const Setup& s) { logs(s, 2); }); }},
    {"dirty log", "S2", [] { logs(kS2, 1); }},
    {"dirty log", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) { logs(s, 1, kA); }); }},
    {"dirty log", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) {
       logs(s, 1);
       const Vm vm = with_both(s, mmu::MemslotRegion::kLogDirty);
       world::take_log(*vm);
       CHECK((world::entry_at(*vm, kA) & kWrite) == 0);
       CHECK((world::entry_at(*vm, kB) & kWrite) == 0); }); }},
    {"dirty log", "S4", [] { logs(kS4, 1); }},

    {"range flush", "S0", [] { s0([](const Setup& s) { zaps(s, "hyperv", calls(2, 2)); }); }},
    {"range flush", "S1", [] {
       s1([](const Setup& s) { zaps(s, "hyperv", calls(2, 2)); });
       zaps(kS1Tdx, "hyperv", calls(2, 2)); }},
    {"range flush", "S2", [] { has_no_provider(kS2); }},
    {"range flush", "S3 tdp", [] { zaps({kS3[0], kTdp}, "hyperv", calls(1, 1)); }},
    {"range flush", "S3 rmap", [] { zaps({kS3[0], kRmap}, "hyperv", calls(1, 1)); }},
    {"range flush", "S4", [] { has_no_provider(kS4); }},

    {"more alias bits", "S0", [] { each(kS0s, "bits:46,47", [](Setup s) {
       s.provider = "hyperv";
       const Vm vm = with_both(s);
       for (const std::uint64_t gpa : {kA, kB}) world::access(*vm, gpa | mmu::bit(46));
       CHECK(flushes(*vm, [&] { world::zap(*vm, kA); }) == calls(4, 4)); }); }},
    {"more alias bits", "S1", [] { each(kS1s, "bits:46,47", [](const Setup& s) { zaps(s, "hyperv", full()); }); }},
    {"more alias bits", "S2", [] { CHECK(refuses({"role-private", kTdp, "bits:46,47"})); }},
    {"more alias bits", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) { zaps(s, "hyperv", full()); }, "bits:46,47"); }},
    {"more alias bits", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) { zaps(s, "hyperv", full()); }, "bits:46,47"); }},
    {"more alias bits", "S4", [] { CHECK(refuses({"mirror", kTdp, "bits:46,47"})); }},

    {"internal slots at B", "S0", [] { s0([](const Setup& s) { meets_internal(s, OutcomeCode::kEmulate, false); }); }},
    {"internal slots at B", "S1", [] { s1([](const Setup& s) { meets_internal(s, OutcomeCode::kEmulate, false); }); }},
    {"internal slots at B", "S2", [] { meets_internal(kS2, OutcomeCode::kFixed, true); }},
    {"internal slots at B", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) { meets_internal(s, OutcomeCode::kStuck, false); }); }},
    {"internal slots at B", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) { meets_internal(s, OutcomeCode::kFixed, true); }); }},
    {"internal slots at B", "S4", [] {
       meets_internal(kS4, OutcomeCode::kFixed, true);
       Setup s = kS4;
       s.internal_slots = true;
       CHECK(world::access(*world::vm(s), 0xfee00000).code == OutcomeCode::kMemoryFault); }},

    {"MTRR consistency", "S0", [] { s0([](const Setup& s) { has_levels(s, 1, 2); }); }},
    {"MTRR consistency", "S1", [] { s1([](const Setup& s) { has_levels(s, 1, 1); }); }},
    {"MTRR consistency", "S2", nullptr, "its pages are 4K, whatever the types are"},
    {"MTRR consistency", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) { has_levels(s, 1, 2); }); }},
    {"MTRR consistency", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) { has_levels(s, 1, 2); }); }},
    {"MTRR consistency", "S4", [] {
       // Its kernel looks at none.
       mmu::MachineConfig config = kS4.config();
       config.host.memory_types = true;
       const auto refused = world::vm(config)->set_mtrr(0x2ff, mmu::bit(11) | 6);
       REQUIRE(!refused);
       CHECK(refused.error().code == mmu::ErrorCode::kUnsupported); }},

    {"async key", "S0", [] { s0([](const Setup& s) { waits_by(s, 2); }); }},
    {"async key", "S1", [] { s1([](const Setup& s) { waits_by(s, 1); }); waits_by(kS1Tdx, 1); }},
    {"async key", "S2", [] { waits_by(kS2, 1); }},
    {"async key", "S3 tdp", [] { each_s3(kTdp, [](const Setup& s) { waits_by(s, 1); }); }},
    {"async key", "S3 rmap", [] { each_s3(kRmap, [](const Setup& s) { waits_by(s, 1); }); }},
    // Private memory is nothing that the host could have taken out.
    {"async key", "S4", [] { waits_by(kS4, 1, kB); }},
};
// clang-format on

}  // namespace

TEST_CASE("2.7: every strategy's column has every topic, or a reason") {
  check_complete(kCells, kTopics, kColumns);
}

TEST_CASE("2.7: what each strategy does about each topic") {
  check_all(kCells);
}
