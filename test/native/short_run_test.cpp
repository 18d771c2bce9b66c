// Batches, in which runs of hits, first touches and writes after a dirty-log
// round go by the directory of leaf tables, beside the same events one by one,
// which never do.
#include "core/short_run.hpp"

#include <random>

#include "batch_rows.hpp"

namespace {

using mmu::EventKind;
using mmu::OutcomeCode;
using rows::Outcomes;
using rows::play;
using rows::Trace;
using world::kMiB;

struct Variant {
  const char* strategy;
  const char* preset;
  std::uint64_t alias;  // added to every other address
};
constexpr Variant kVariants[] = {
    {"none", "none", 0},
    {"stolen-bits", "bits:47", mmu::bit(47)},
    {"precise", "bits:47", mmu::bit(47)},
    {"v5-as-posted", "bits:47", mmu::bit(47)},
    {"precise", "bits:46,47", mmu::bit(46)},
};

constexpr unsigned kVcpus = 3;
constexpr std::uint64_t kSlotBytes = 48 * kMiB;

// Ordinary memory, memory that is logged, memory that cannot be written, and
// memory in huge pages; slot boundaries inside of 2 MiB.
std::unique_ptr<mmu::Machine> machine(const Variant& variant) {
  mmu::MachineConfig config;
  config.vcpus = kVcpus;
  config.strategy = variant.strategy;
  config.preset = variant.preset;
  auto vm = world::vm(config);
  const std::uint64_t odd = 7 * mmu::kPageSize;
  const world::Slot slots[] = {
      {.id = 0, .bytes = kSlotBytes - odd},
      {.id = 1,
       .gpa = kSlotBytes - odd,
       .bytes = kSlotBytes,
       .flags = mmu::MemslotRegion::kLogDirty},
      {.id = 2,
       .gpa = 3 * kSlotBytes,
       .bytes = kSlotBytes,
       .flags = mmu::MemslotRegion::kReadonly},
      {.id = 3, .gpa = 4 * kSlotBytes, .bytes = kSlotBytes, .backing = 2},
  };
  for (const world::Slot& slot : slots) world::add(*vm, slot);
  return vm;
}

// Stretches in which one slot is used in one manner, with now and then an event
// that ends a run.
Trace random_trace(std::uint32_t seed, const Variant& variant,
                   std::size_t count) {
  std::mt19937_64 random(seed);
  const std::uint64_t odd_one_in = std::uint64_t{1} << (2 + random() % 8);
  Trace trace;
  while (trace.gpa.size() < count) {
    const std::uint64_t slot = random() % 6 == 0 ? random() % 5 : random() % 2;
    const std::uint64_t spread = std::uint64_t{1} << (3 + random() % 11);
    const bool is_new = random() % 2 == 0;
    const auto vcpu = static_cast<std::uint16_t>(random() % kVcpus);
    const unsigned usual = random() % 2 == 0 ? 1 : 3;
    std::uint64_t page = random() % 12000;
    for (std::size_t left = 20 + random() % 200; left != 0; --left) {
      page = is_new ? page + 1 : random() % spread;
      const std::uint64_t gpa =
          slot * kSlotBytes + page % 12288 * mmu::kPageSize + random() % 4096;
      const bool is_odd = random() % odd_one_in == 0;
      const std::uint64_t rare = is_odd ? random() % 40 : 40;
      const std::uint64_t start = gpa / mmu::kPageSize * mmu::kPageSize;
      if (rare == 0) trace.add(EventKind::kZap, start, 40 * mmu::kPageSize, 0);
      if (rare <= 2) trace.add(EventKind::kDirtyLogGet, 0, 0, 0);
      if (rare == 3) trace.add(EventKind::kZapAllFast, 0, 0, 0);
      if (rare == 4) {
        trace.add(EventKind::kAge, world::kHvaBase + start, mmu::kPageSize, 0);
      }
      const auto how =
          static_cast<std::uint8_t>(is_odd ? 1 + random() % 7 : usual);
      const auto who =
          is_odd ? static_cast<std::uint16_t>(random() % kVcpus) : vcpu;
      const std::uint64_t alias = random() % 2 * variant.alias;
      trace.add(EventKind::kAccess, gpa | alias, 0, how, who);
    }
  }
  return trace;
}

std::string state_of(const mmu::Machine& machine) {
  std::string text = std::to_string(machine.tables().bytes_in_use);
  for (const auto& [name, value] : world::stats(machine)) {
    text += " " + name + "=" + std::to_string(value);
  }
  for (std::uint32_t vcpu = 0; vcpu < kVcpus; ++vcpu) {
    const auto counts = machine.stats(vcpu);
    REQUIRE(counts);
    for (const mmu::NamedCount& count : counts.value()) {
      text += " " + std::to_string(count.value);
    }
  }
  for (const mmu::MemslotView& slot : machine.memslots()) {
    text += " dirty " + std::to_string(slot.dirty_pages);
  }
  return text;
}

// The loop gives up runs for a while where the first has no table to go by.
// After as many rows as these it takes them up again.
void warm_up(mmu::Machine& vm) {
  Trace trace;
  for (std::uint64_t i = 0; i < 4096; ++i) {
    trace.add(EventKind::kAccess, kSlotBytes / 2 + i % 64 * mmu::kPageSize, 0,
              1);
  }
  play(vm, trace, trace.gpa.size());
}

}  // namespace

TEST_CASE("short runs come to what their events come to one by one") {
  std::uint64_t fixed = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    const Variant& variant = kVariants[seed % std::size(kVariants)];
    CAPTURE(seed);
    CAPTURE(std::string(variant.strategy));
    const Trace trace = random_trace(seed, variant, 6000);
    const auto whole = machine(variant);
    const auto single = machine(variant);
    const Outcomes expected = play(*single, trace, 1);
    const Outcomes found = play(*whole, trace, trace.gpa.size());
    REQUIRE(found == expected);
    REQUIRE(state_of(*whole) == state_of(*single));
    REQUIRE(whole->fingerprint() == single->fingerprint());
    for (const std::uint8_t code : found.code) {
      fixed += code == static_cast<std::uint8_t>(OutcomeCode::kFixed);
    }
  }
  CHECK(fixed > 50'000);
}

TEST_CASE("a page touched twice in a group is fixed once and hit once") {
  const auto vm = machine(kVariants[0]);
  warm_up(*vm);
  Trace trace;
  // Enough for a full table, and another group in which each page comes twice.
  for (std::uint64_t page = 0; page < 64; ++page) {
    trace.add(EventKind::kAccess, page * mmu::kPageSize, 0, 3);
  }
  for (std::uint64_t i = 0; i < 64; ++i) {
    trace.add(EventKind::kAccess, (100 + i / 2) * mmu::kPageSize, 0, 3);
  }
  const Outcomes found = play(*vm, trace, trace.gpa.size());
  for (std::size_t i = 0; i < 64; ++i) {
    CAPTURE(i);
    CHECK(static_cast<OutcomeCode>(found.code[64 + i]) ==
          (i % 2 == 0 ? OutcomeCode::kFixed : OutcomeCode::kHit));
  }
}

TEST_CASE(
    "where tables have no room a run ends at the row that one by one do") {
  // Of 2 MiB of tables: some are made, some have to grow.
  constexpr std::uint64_t kRegions = 700;
  Trace trace;
  for (std::uint64_t i = 0; i < kRegions * 20; ++i) {
    const std::uint64_t region = i * 37 % kRegions;
    trace.add(EventKind::kAccess,
              region * 2 * kMiB + i / kRegions * mmu::kPageSize, 0, 3);
  }
  const auto make = [] {
    mmu::MachineConfig config;
    config.vcpus = kVcpus;
    config.arena_bytes = 2 * kMiB;
    auto vm = world::vm(config);
    world::add(*vm, {.bytes = kRegions * 2 * kMiB});
    return vm;
  };
  const auto apply = [&](std::size_t batch, mmu::Machine& vm) {
    Outcomes outcomes(trace.gpa.size());
    mmu::RunControl control;
    for (std::size_t at = 0; at < trace.gpa.size(); at += batch) {
      const mmu::RunResult result =
          vm.run(trace.columns(at, std::min(batch, trace.gpa.size() - at)),
                 outcomes.columns(at), control);
      if (result.failed) return at + result.applied;
    }
    return trace.gpa.size();
  };
  const auto whole = make();
  const auto single = make();
  const std::size_t expected = apply(1, *single);
  CHECK(expected < trace.gpa.size());
  CHECK(apply(trace.gpa.size(), *whole) == expected);
  CHECK(state_of(*whole) == state_of(*single));
  CHECK(whole->fingerprint() == single->fingerprint());
}

TEST_CASE("a group of writes to what cannot be written is emulated") {
  const auto vm = machine(kVariants[0]);
  warm_up(*vm);
  Trace trace;
  for (std::uint64_t page = 0; page < 192; ++page) {
    const std::uint8_t how = page < 96 ? 1 : 3;
    trace.add(EventKind::kAccess, 3 * kSlotBytes + page * mmu::kPageSize, 0,
              how);
  }
  const Outcomes found = play(*vm, trace, trace.gpa.size());
  for (std::size_t row = 0; row < 192; ++row) {
    CAPTURE(row);
    CHECK(static_cast<OutcomeCode>(found.code[row]) ==
          (row < 96 ? OutcomeCode::kFixed : OutcomeCode::kEmulate));
  }
}
