// Builders for tests of aliases: a VM with a strategy, and what it has done.
//
// The page that most of these tests look at is frame 0x100, alone in its slot,
// so that no neighbour is prefetched. With alias bit 47 it has two names.
#pragma once

#include <algorithm>
#include <ostream>  // lets doctest show string views
#include <string_view>

#include "world.hpp"

namespace world {

inline constexpr std::uint64_t kA = 0x100000;
inline constexpr std::uint64_t kBit = mmu::bit(47);
inline constexpr std::uint64_t kB = kA | kBit;
inline constexpr std::uint64_t kPage = mmu::kPageSize;

// A configuration in one line; width and level follow the preset.
struct Setup {
  std::string_view strategy = "none";
  mmu::Flavour mmu = mmu::Flavour::kTdp;
  std::string_view preset = "bits:47";
  std::string_view provider = "none";
  bool tlb = false;
  bool internal_slots = false;
  unsigned vcpus = 1;

  mmu::MachineConfig config() const {
    const auto view = mmu::preset_view(preset);
    REQUIRE(view);
    mmu::MachineConfig config;
    if (view.value().address_bits != 0) {
      config.address_bits = view.value().address_bits;
      config.root_level = view.value().root_level;
    }
    config.host_maxphyaddr = std::max(46u, config.address_bits);
    config.strategy = strategy;
    config.preset = preset;
    config.mmu = mmu;
    config.flush_provider = provider;
    config.tlb = mmu::TlbShape::small(tlb ? 1536 : 0);
    config.internal_slots = internal_slots;
    config.vcpus = vcpus;
    return config;
  }
};

inline std::unique_ptr<mmu::Machine> vm(const Setup& setup) {
  return vm(setup.config());
}

// A VM whose memory is the one page.
inline std::unique_ptr<mmu::Machine> one_page(const Setup& setup,
                                              std::uint32_t flags = 0) {
  auto machine = vm(setup.config());
  add(*machine, {.gpa = kA, .bytes = kPage, .flags = flags});
  return machine;
}

inline constexpr std::string_view kFlavourNames[] = {"tdp", "rmap"};
inline std::string_view name_of(mmu::Flavour flavour) {
  return kFlavourNames[static_cast<unsigned>(flavour)];
}

inline mmu::Outcome fetch(mmu::Machine& machine, std::uint64_t gpa) {
  return access(machine, gpa, mmu::kAccessFetch);
}

inline mmu::Outcome convert(mmu::Machine& machine, std::uint64_t gpa,
                            std::uint64_t bytes, bool to_private) {
  const std::uint8_t what = to_private ? mmu::kAttributesPrivate : 0;
  const auto outcome = machine.step({.kind = mmu::EventKind::kAttributes,
                                     .access = what,
                                     .gpa = gpa,
                                     .bytes = bytes});
  REQUIRE(outcome);
  return outcome.value();
}
inline mmu::Outcome share(mmu::Machine& machine, std::uint64_t gpa,
                          std::uint64_t bytes = kPage) {
  return convert(machine, gpa, bytes, false);
}

inline mmu::Outcome zap(mmu::Machine& machine, std::uint64_t gpa,
                        std::uint64_t bytes = kPage) {
  return operate(machine, mmu::EventKind::kZap, gpa, bytes);
}
// The host takes back what a slot of world::Slot has at this gpa.
inline mmu::Outcome unmap_host(mmu::Machine& machine, std::uint64_t gpa,
                               std::uint64_t bytes = kPage) {
  return operate(machine, mmu::EventKind::kHvaInvalidate, kHvaBase + gpa,
                 bytes);
}
inline mmu::Outcome take_log(mmu::Machine& machine) {
  return operate(machine, mmu::EventKind::kDirtyLogGet);
}

// The last entry on hardware's path.
inline mmu::StepView last_step(const mmu::Machine& machine, std::uint64_t gpa) {
  const auto steps = machine.walk(gpa);
  REQUIRE(steps);
  REQUIRE(!steps.value().empty());
  return steps.value().back();
}
inline std::uint64_t entry_at(const mmu::Machine& machine, std::uint64_t gpa) {
  return last_step(machine, gpa).spte;
}
inline bool is_mapped(const mmu::Machine& machine, std::uint64_t gpa) {
  const auto steps = machine.walk(gpa);
  return steps && !steps.value().empty() && steps.value().back().is_leaf;
}
inline std::uint64_t rmap_count(const mmu::Machine& machine,
                                std::uint64_t gpa) {
  const auto count = machine.rmap_count(gpa);
  REQUIRE(count);
  return count.value();
}

// Flushes that `act` leads to.
struct Flushed {
  std::uint64_t range = 0;
  std::uint64_t pages = 0;
  std::uint64_t full = 0;
  std::uint64_t none = 0;
  friend bool operator==(const Flushed&, const Flushed&) = default;
};
inline std::string to_text(const Flushed& f) {
  return std::to_string(f.range) + " calls, " + std::to_string(f.pages) +
         " pages, " + std::to_string(f.full) + " full, " +
         std::to_string(f.none) + " elided";
}
template <class Act>
Flushed flushed_by(const mmu::Machine& machine, Act act) {
  const mmu::FlushView before = machine.flushes();
  act();
  const mmu::FlushView now = machine.flushes();
  return {now.range - before.range, now.pages - before.pages,
          now.full - before.full, now.none - before.none};
}

// Rules that have fired: how often.
inline std::uint64_t fired(const mmu::Machine& machine, std::string_view rule) {
  for (const mmu::ViolationView& found : machine.violations()) {
    if (found.rule == rule) return found.count;
  }
  return 0;
}
inline std::string defect_of(const mmu::Machine& machine,
                             std::string_view rule) {
  for (const mmu::ViolationView& found : machine.violations()) {
    if (found.rule == rule) return std::string(found.defect);
  }
  return "(silent)";
}

// Shadow pages of a level, by the gpa that their key says.
inline std::vector<mmu::TableView> tables_of(const mmu::Machine& machine,
                                             unsigned level) {
  std::vector<mmu::TableView> found;
  for (const mmu::TableView& table : machine.table_list()) {
    if (table.level == level) found.push_back(table);
  }
  std::ranges::sort(found, {}, &mmu::TableView::gpa);
  return found;
}

}  // namespace world
