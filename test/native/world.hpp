// Builders for tests of the core: a VM in one line, events in one more.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/address.hpp"
#include "core/machine.hpp"

namespace world {

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;
inline constexpr std::uint64_t kHvaBase = mmu::bit(40);

inline std::unique_ptr<mmu::Machine> vm(const mmu::MachineConfig& config = {}) {
  auto made = mmu::make_machine(config);
  REQUIRE(made);
  return std::move(made.value());
}

struct Slot {
  std::uint32_t id = 0;
  std::uint64_t gpa = 0;
  std::uint64_t bytes = 0;
  std::uint32_t flags = 0;
  std::uint8_t backing = 1;

  mmu::MemslotRegion region() const {
    return {.slot = id,
            .flags = flags,
            .gpa = gpa,
            .bytes = bytes,
            .hva = kHvaBase + gpa,
            .backing = backing};
  }
};

inline void add(mmu::Machine& machine, const Slot& slot) {
  const auto done = machine.set_memslot(slot.region());
  INFO((done ? std::string() : done.error().message()));
  REQUIRE(done);
}

inline mmu::Outcome access(mmu::Machine& machine, std::uint64_t gpa,
                           std::uint8_t access = mmu::kAccessWrite) {
  const auto outcome = machine.step({.access = access, .gpa = gpa});
  REQUIRE(outcome);
  return outcome.value();
}

inline mmu::Outcome operate(mmu::Machine& machine, mmu::EventKind kind,
                            std::uint64_t gpa = 0, std::uint64_t bytes = 0) {
  const auto outcome = machine.step({.kind = kind, .gpa = gpa, .bytes = bytes});
  REQUIRE(outcome);
  return outcome.value();
}

inline std::map<std::string, std::uint64_t> stats(const mmu::Machine& machine) {
  std::map<std::string, std::uint64_t> named;
  for (const mmu::NamedCount& count : machine.stats()) {
    named[std::string(count.name)] = count.value;
  }
  return named;
}

// What the accounts claim, counted on the tree instead.
inline std::vector<std::uint64_t> leaves_by_level(const mmu::Machine& machine) {
  std::vector<std::uint64_t> counts(4);
  for (const mmu::LeafView& leaf : machine.leaves(false)) ++counts[leaf.level];
  return counts;
}

inline void check_accounts(const mmu::Machine& machine) {
  const auto counted = leaves_by_level(machine);
  auto named = stats(machine);
  CHECK(named["pages_4k"] == counted[1]);
  CHECK(named["pages_2m"] == counted[2]);
  CHECK(named["pages_1g"] == counted[3]);
  for (unsigned level = 1; level <= 3; ++level) {
    std::uint64_t reached = 0;
    for (const auto& row : machine.alias_leaves()) {
      reached += row.by_level[level];
    }
    CHECK(reached == counted[level]);
  }
}

}  // namespace world
