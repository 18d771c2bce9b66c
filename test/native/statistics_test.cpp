// KVM's statistics: which names there are, and that they add up.
#include <random>

#include "alias_world.hpp"

using mmu::EventKind;
using mmu::Flavour;
using mmu::Kernel;
using mmu::MemslotRegion;
using mmu::Outcome;
using mmu::OutcomeCode;
using world::kA;
using world::kB;
using world::kPage;
using world::Setup;

namespace {

using Named = std::map<std::string, std::uint64_t>;

Named named(const std::vector<mmu::NamedCount>& counts) {
  Named found;
  for (const mmu::NamedCount& count : counts) {
    CHECK(found.emplace(count.name, count.value).second);
  }
  return found;
}

Named of_vcpu(const mmu::Machine& machine, std::uint32_t vcpu) {
  const auto counts = machine.stats(vcpu);
  REQUIRE(counts);
  return named(counts.value());
}

std::string names(const std::vector<mmu::NamedCount>& counts) {
  std::string all;
  for (const auto& [name, value] : named(counts)) all += name + " ";
  return all;
}

Outcome access_on(mmu::Machine& machine, std::uint16_t vcpu, std::uint64_t gpa,
                  std::uint8_t access = mmu::kAccessWrite) {
  const auto outcome =
      machine.step({.access = access, .vcpu = vcpu, .gpa = gpa});
  REQUIRE(outcome);
  return outcome.value();
}

std::unique_ptr<mmu::Machine> of_kernel(Kernel kernel) {
  mmu::MachineConfig config;
  config.kernel = kernel;
  config.vcpus = 2;
  return world::vm(config);
}

constexpr const char* kVcpuNames =
    "exits insn_emulation insn_emulation_fail invlpg l1d_flush mmio_exits "
    "pf_emulate pf_fast pf_fixed pf_guest pf_mmio_spte_created pf_spurious "
    "pf_taken tlb_flush ";
constexpr const char* kNames =
    "exits insn_emulation insn_emulation_fail invlpg l1d_flush "
    "max_mmu_page_hash_collisions max_mmu_rmap_size mmio_exits mmu_cache_miss "
    "mmu_flooded mmu_pde_zapped mmu_pte_write mmu_recycled mmu_shadow_zapped "
    "mmu_unsync nx_lpage_splits pages_1g pages_2m pages_4k pf_emulate pf_fast "
    "pf_fixed pf_guest pf_mmio_spte_created pf_spurious pf_taken "
    "remote_tlb_flush remote_tlb_flush_requests tlb_flush ";
constexpr const char* kNames510 =
    "exits insn_emulation insn_emulation_fail invlpg l1d_flush largepages "
    "max_mmu_page_hash_collisions mmio_exits mmu_cache_miss mmu_flooded "
    "mmu_pde_zapped mmu_pte_updated mmu_pte_write mmu_recycled "
    "mmu_shadow_zapped mmu_unsync nx_largepages_splitted pf_fixed pf_guest "
    "remote_tlb_flush tlb_flush ";

// What the outcomes of one vCPU's accesses say its statistics must be.
struct Expected {
  std::uint64_t exits = 0;
  std::uint64_t emulated = 0;
  std::uint64_t uncounted = 0;  // faults whose answer has no counter

  void add(OutcomeCode code) {
    if (code == OutcomeCode::kHit) return;
    // A stuck access faults once more, to no other end.
    exits += code == OutcomeCode::kStuck ? 2 : 1;
    emulated += code == OutcomeCode::kEmulate;
    uncounted += code == OutcomeCode::kRetry ||
                 code == OutcomeCode::kMemoryFault ||
                 code == OutcomeCode::kError || code == OutcomeCode::kUnzapped;
  }
};

// Accesses to two slots, one of them read-only, a hole, and all aliases.
class RandomRun {
 public:
  RandomRun(mmu::Machine& machine, std::uint32_t seed)
      : machine_(machine), random_(seed) {
    world::add(machine, {.bytes = kPages * kPage});
    world::add(machine, {.id = 1,
                         .gpa = kPages * kPage,
                         .bytes = 8 * kPage,
                         .flags = MemslotRegion::kReadonly});
  }

  std::array<Expected, 2> play(int events) {
    std::array<Expected, 2> expected;
    for (int i = 0; i < events; ++i) {
      if (pick(16) == 0) {
        disturb();
        continue;
      }
      const auto vcpu = static_cast<std::uint16_t>(pick(2));
      const auto access = static_cast<std::uint8_t>(1 + pick(7));
      expected[vcpu].add(access_on(machine_, vcpu, place(), access).code);
    }
    return expected;
  }

 private:
  static constexpr std::uint64_t kPages = 64;

  std::uint64_t pick(std::uint64_t end) { return random_() % end; }
  std::uint64_t place() {
    const std::uint64_t alias = pick(2) == 0 ? 0 : world::kBit;
    return alias | pick(kPages + 16) * kPage;
  }
  void disturb() {
    const std::uint64_t gpa = pick(kPages) * kPage;
    constexpr EventKind kKinds[] = {
        EventKind::kZap, EventKind::kZapAllFast, EventKind::kDirtyLogEnable,
        EventKind::kDirtyLogGet, EventKind::kDirtyLogDisable};
    const EventKind kind = kKinds[pick(std::size(kKinds))];
    world::operate(machine_, kind, gpa, kPage);
  }

  mmu::Machine& machine_;
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("statistics have the names that the kernel has, all and no others") {
  for (const Kernel kernel : {Kernel::k616, Kernel::kPvm618}) {
    const auto machine = of_kernel(kernel);
    CHECK(names(machine->stats()) == kNames);
    const auto vcpu = machine->stats(1);
    REQUIRE(vcpu);
    CHECK(names(vcpu.value()) == kVcpuNames);
  }
  CHECK(names(of_kernel(Kernel::k510)->stats()) == kNames510);
}

TEST_CASE("an old kernel counts 2M and 1G leaves together") {
  mmu::MachineConfig config;
  config.kernel = Kernel::k510;
  const auto machine = world::vm(config);
  world::add(*machine, {.bytes = 2 * world::kMiB, .backing = 2});
  world::add(*machine,
             {.id = 1, .gpa = world::kGiB, .bytes = world::kGiB, .backing = 3});
  world::access(*machine, 0);
  world::access(*machine, world::kGiB);
  CHECK(world::stats(*machine)["largepages"] == 2);
}

TEST_CASE("a vCPU that does not exist has no statistics") {
  const auto machine = of_kernel(Kernel::k616);
  for (const std::uint32_t vcpu : {2u, 65536u, ~0u}) {
    const auto counts = machine->stats(vcpu);
    REQUIRE(!counts);
    CHECK(counts.error().code == mmu::ErrorCode::kEvent);
    CHECK(counts.error().values[1].value == vcpu);
  }
}

TEST_CASE("every fault is answered in a counter or by an outcome without one") {
  const Setup setups[] = {
      {.strategy = "none", .vcpus = 2},
      {.strategy = "none", .mmu = Flavour::kRmap, .vcpus = 2},
      {.strategy = "precise", .preset = "xo:47", .tlb = true, .vcpus = 2},
      {.strategy = "mirror", .preset = "tdx47", .vcpus = 2},
      {.strategy = "v5-as-posted", .vcpus = 2},
      {.strategy = "v5-as-posted", .mmu = Flavour::kRmap, .vcpus = 2},
      {.strategy = "stolen-bits-tdx",
       .mmu = Flavour::kRmap,
       .preset = "tdx47",
       .vcpus = 2}};
  for (const Setup& setup : setups) {
    for (const std::uint32_t seed : {1u, 2u, 3u}) {
      CAPTURE(setup.strategy);
      CAPTURE(world::name_of(setup.mmu));
      CAPTURE(seed);
      const auto machine = world::vm(setup);
      const auto expected = RandomRun(*machine, seed).play(2000);
      Named sum;
      for (const std::uint32_t vcpu : {0u, 1u}) {
        Named counts = of_vcpu(*machine, vcpu);
        CHECK(counts["exits"] == expected[vcpu].exits);
        CHECK(counts["insn_emulation"] == expected[vcpu].emulated);
        CHECK(counts["mmio_exits"] == expected[vcpu].emulated);
        CHECK(counts["pf_taken"] == counts["pf_fixed"] + counts["pf_emulate"] +
                                        counts["pf_spurious"] +
                                        expected[vcpu].uncounted);
        CHECK(counts["pf_emulate"] <= counts["insn_emulation"]);
        CHECK(counts["pf_fast"] <= counts["pf_fixed"]);
        for (const auto& [name, value] : counts) sum[name] += value;
      }
      const Named all = world::stats(*machine);
      for (const auto& [name, value] : sum) CHECK(all.at(name) == value);
    }
  }
}

TEST_CASE("an MMIO entry that matches is an exit and no fault") {
  for (const Flavour mmu : {Flavour::kTdp, Flavour::kRmap}) {
    const auto machine = world::vm(Setup{"none", mmu, "none"});
    for (int i = 0; i < 3; ++i) world::access(*machine, kA);
    Named counts = world::stats(*machine);
    CHECK(counts["exits"] == 3);
    CHECK(counts["insn_emulation"] == 3);
    CHECK(counts["mmio_exits"] == 3);
    CHECK(counts["pf_taken"] == 1);
    CHECK(counts["pf_emulate"] == 1);
    CHECK(counts["pf_mmio_spte_created"] == 1);
  }
}

TEST_CASE("an access that its alias forbids is the guest's own fault") {
  const auto machine =
      world::one_page({.strategy = "precise", .preset = "xo:47"});
  CHECK(world::access(*machine, kB).code == OutcomeCode::kRetry);
  world::fetch(*machine, kB);
  Named counts = world::stats(*machine);
  CHECK(counts["pf_guest"] == 1);
  CHECK(counts["pf_taken"] == 2);
  CHECK(counts["pf_fixed"] == 1);
}

TEST_CASE("a flush that a vCPU asks for is its own, its TLB's too") {
  const auto machine = world::one_page({.tlb = true, .vcpus = 2});
  for (const std::uint16_t vcpu : {0, 1}) access_on(*machine, vcpu, kA);
  const mmu::FlushView before = machine->flushes();
  const auto done =
      machine->step({.kind = EventKind::kVcpuTlbFlush, .vcpu = 1});
  REQUIRE(done);
  CHECK(done.value().flush == 0);
  CHECK(machine->flushes().full == before.full);
  CHECK(of_vcpu(*machine, 0)["tlb_flush"] == 0);
  CHECK(of_vcpu(*machine, 1)["tlb_flush"] == 1);
  CHECK(world::stats(*machine)["remote_tlb_flush_requests"] == 0);
  CHECK(access_on(*machine, 0, kA).tables_read == 0);
  CHECK(access_on(*machine, 1, kA).tables_read == 4);
  // One for all counts for each.
  world::zap(*machine, kA);
  CHECK(of_vcpu(*machine, 0)["tlb_flush"] == 1);
  CHECK(of_vcpu(*machine, 1)["tlb_flush"] == 2);
}

TEST_CASE("frames that share a bucket are collisions of the page hash") {
  const auto machine = world::vm(Setup{"none", Flavour::kRmap, "none"});
  CHECK(world::stats(*machine)["max_mmu_page_hash_collisions"] == 0);
  // More tables than the hash has buckets: some chain holds two frames.
  world::add(*machine, {.bytes = 5000 * 2 * world::kMiB});
  for (std::uint64_t i = 0; i < 5000; ++i) {
    world::access(*machine, i * 2 * world::kMiB);
  }
  CHECK(world::stats(*machine)["max_mmu_page_hash_collisions"] >= 1);
  CHECK(world::stats(*machine)["mmu_cache_miss"] > 5000);
}
