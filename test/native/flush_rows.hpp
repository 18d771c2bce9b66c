// For tests of when an operation flushes, row by row: a VM with a range
// provider, so that the two kinds are told apart, and what it flushed in words.
#pragma once

#include "fault_world.hpp"

namespace flush_rows {

using world::kA;
using world::kMiB;
using world::kPage;
using world::Setup;

inline constexpr auto kTdp = mmu::Flavour::kTdp;
inline constexpr auto kRmap = mmu::Flavour::kRmap;
inline constexpr std::uint64_t k2M = 2 * kMiB;
inline constexpr std::uint64_t k2MPages = 512;

using Vm = std::unique_ptr<mmu::Machine>;

inline Vm vm(mmu::Flavour mmu, std::string_view provider = "hyperv") {
  return world::vm(Setup{"none", mmu, "none", provider});
}
inline Vm with_page(mmu::Flavour mmu, std::uint32_t flags = 0) {
  Vm machine = vm(mmu);
  world::add(*machine, {.gpa = kA, .bytes = kPage, .flags = flags});
  return machine;
}
inline Vm with_huge(mmu::Flavour mmu, std::uint32_t flags = 0) {
  Vm machine = vm(mmu);
  world::add(*machine, {.bytes = k2M, .flags = flags, .backing = 2});
  return machine;
}

inline std::string none() { return world::to_text({}); }
inline std::string full() { return world::to_text({.full = 1}); }
inline std::string range(std::uint64_t pages) {
  return world::to_text({.range = 1, .pages = pages});
}

template <class Act>
inline std::string flushes(mmu::Machine& machine, Act act) {
  return world::to_text(world::flushed_by(machine, act));
}

// KVM_SET_USER_MEMORY_REGION with other flags and nothing else.
inline void set_flags(mmu::Machine& machine, world::Slot slot,
                      std::uint32_t flags) {
  slot.flags = flags;
  world::add(machine, slot);
}

template <class Check>
inline void for_both(Check check) {
  for (const mmu::Flavour mmu : {kTdp, kRmap}) {
    CAPTURE(world::name_of(mmu));
    check(mmu);
  }
}

template <class Act>
std::uint64_t grown(mmu::Machine& machine, const char* name, Act act) {
  const std::uint64_t before = world::stats(machine)[name];
  act();
  return world::stats(machine)[name] - before;
}

}  // namespace flush_rows
