// For tests of memory that runs out: VMs of many kinds, what can be asked of
// them, and whether it came to anything.
#pragma once

#include <functional>
#include <new>

#include "failing_memory.hpp"
#include "fault_world.hpp"
#include "slot_world.hpp"

namespace scarce {

using mmu::EventKind;
using mmu::Flavour;
using mmu::Machine;
using mmu::MachineConfig;
using mmu::MemslotRegion;
using world::kA;
using world::kB;
using world::kMiB;
using world::kPage;
using world::Setup;

enum class Came : std::uint8_t { kDone, kNoMemory, kRefused };

inline Came of(const std::optional<mmu::Error>& error) {
  if (!error) return Came::kDone;
  return error->code == mmu::ErrorCode::kOutOfMemory ? Came::kNoMemory
                                                     : Came::kRefused;
}
template <class T>
inline Came of(const mmu::Result<T>& result) {
  return result ? Came::kDone : of(std::optional(result.error()));
}

// As the binding does with what comes through from below.
inline Came attempt(const std::function<Came(Machine&)>& act,
                    Machine& machine) {
  try {
    return act(machine);
  } catch (const std::bad_alloc&) {
    return Came::kNoMemory;
  }
}

inline Came step(Machine& machine, const mmu::Event& event) {
  return of(machine.step(event));
}
inline std::function<Came(Machine&)> event(EventKind kind, std::uint64_t at = 0,
                                           std::uint64_t bytes = 0,
                                           std::uint8_t access = 0) {
  return [=](Machine& machine) {
    return step(machine,
                {.kind = kind, .access = access, .gpa = at, .bytes = bytes});
  };
}
inline std::function<Came(Machine&)> touch(std::uint64_t gpa,
                                           std::uint8_t how = 2) {
  return event(EventKind::kAccess, gpa, 0, how);
}
inline std::function<Came(Machine&)> set(MemslotRegion region) {
  return [=](Machine& machine) { return of(machine.set_memslot(region)); };
}

struct Operation {
  const char* name;
  std::function<Came(Machine&)> act;
};

inline constexpr std::uint64_t kHole = 0xd0000000;
inline constexpr std::uint64_t kHva = world::kHvaBase;

inline MemslotRegion slot_at(std::uint32_t id, std::uint64_t gpa,
                             std::uint64_t bytes, std::uint32_t flags = 0) {
  return world::Slot{.id = id, .gpa = gpa, .bytes = bytes, .flags = flags}
      .region();
}

// What can be asked of a VM that has two slots, the first of them logged.
inline std::vector<Operation> operations() {
  const std::vector<std::uint64_t> ones(8, ~std::uint64_t{0});
  return {
      {"touch", touch(8 * kPage)},
      {"touch far away", touch(8 * kMiB)},
      {"touch again", touch(kA)},
      {"touch the other alias", touch(kB)},
      {"fetch", touch(6 * kMiB, mmu::kAccessFetch)},
      {"a hole", touch(kHole)},
      {"a hole again", touch(kHole + kPage, mmu::kAccessRead)},
      {"zap", event(EventKind::kZap, 0, 16 * kMiB)},
      {"zap all", event(EventKind::kZapAllFast)},
      {"get logs", event(EventKind::kDirtyLogGet)},
      {"log all", event(EventKind::kDirtyLogEnable)},
      {"log none", event(EventKind::kDirtyLogDisable)},
      {"clear logs", event(EventKind::kDirtyLogClear)},
      {"reset rings by event", event(EventKind::kDirtyRingReset)},
      {"unmap", event(EventKind::kHvaInvalidate, kHva, 16 * kMiB)},
      {"open", event(EventKind::kHvaBegin, kHva, 16 * kMiB)},
      {"close", event(EventKind::kHvaEnd, kHva, 16 * kMiB)},
      {"share", event(EventKind::kAttributes, kA, kPage)},
      {"unshare", event(EventKind::kAttributes, kA + kPage, 3 * kPage, 1)},
      {"watch", event(EventKind::kWriteTrackAdd, kA, 3 * kPage)},
      {"watch both slots",
       event(EventKind::kWriteTrackAdd, 3 * kMiB, 2 * kMiB)},
      {"unwatch both", event(EventKind::kWriteTrackRemove, 3 * kMiB, 2 * kMiB)},
      {"share both", event(EventKind::kAttributes, 3 * kMiB, 2 * kMiB)},
      {"unwatch", event(EventKind::kWriteTrackRemove, kA + 64 * kPage, kPage)},
      {"age", event(EventKind::kAge, kHva, 16 * kMiB)},
      {"prefault by event", event(EventKind::kPrefault, 9 * kMiB, 4 * kPage)},
      {"async ready", event(EventKind::kAsyncReady)},
      {"flush a vCPU", event(EventKind::kVcpuTlbFlush)},
      {"recover", event(EventKind::kNxRecover)},
      {"create a slot", set(slot_at(7, 64 * kMiB, 4 * kMiB, world::kLogged))},
      {"delete a slot", set(slot_at(0, 0, 0))},
      {"move a slot", set(slot_at(0, 128 * kMiB, 4 * kMiB, world::kLogged))},
      {"log a slot", set(slot_at(1, 4 * kMiB, 8 * kMiB, world::kLogged))},
      {"log a slot no more", set(slot_at(0, 0, 4 * kMiB))},
      {"a host mapping",
       [](Machine& m) {
         return of(m.set_host_mapping({.hva = kHva + kA,
                                       .bytes = 2 * kPage,
                                       .state = mmu::HostState::kReadOnly}));
       }},
      {"prefault",
       [](Machine& m) { return of(m.prefault(0, 10 * kMiB, 4 * kPage)); }},
      {"fewer pages", [](Machine& m) { return of(m.set_mmu_pages(64)); }},
      {"read a log", [](Machine& m) { return of(m.dirty_log(0, false)); }},
      {"peek", [](Machine& m) { return of(m.dirty_log(0, true)); }},
      {"clear a log",
       [ones](Machine& m) { return of(m.clear_dirty_log({0, 0, 512}, ones)); }},
      {"collect", [](Machine& m) { return of(m.collect_ring(0, 0)); }},
      {"reset rings", [](Machine& m) { return of(m.reset_rings()); }},
      {"manual logs", [](Machine& m) { return of(m.enable_cap(168, 0, 3)); }},
      {"no quirk", [](Machine& m) { return of(m.disable_quirks(0x80)); }},
      {"a vCPU", [](Machine& m) { return of(m.create_vcpu(9)); }},
      {"a file", [](Machine& m) { return of(m.create_guest_memfd(kPage, 0)); }},
      {"KVM writes",
       [](Machine& m) { return of(m.guest_write(0, kA, 3 * kPage)); }},
      {"KVM reads", [](Machine& m) { return of(m.guest_read(kA, 3 * kPage)); }},
      {"an MTRR", [](Machine& m) { return of(m.set_mtrr(0x2ff, 0x806)); }},
      {"trace",
       [](Machine& m) { return of(m.set_trace(mmu::TraceRelease::k61)); }},
      {"take the trace",
       [](Machine& m) {
         m.take_trace();
         return Came::kDone;
       }},
      {"walk", [](Machine& m) { return of(m.walk(kA)); }},
      {"rmap", [](Machine& m) { return of(m.rmap(kA)); }},
      {"what there is",
       [](Machine& m) {
         (void)m.leaves(true);
         (void)m.table_list();
         (void)m.alias_leaves();
         (void)m.memslots();
         (void)m.stats();
         (void)m.violations();
         return of(m.stats(0));
       }},
  };
}

struct World {
  const char* name;
  MachineConfig config;
  bool rings = false;
  bool traced = false;
};

inline MachineConfig with(std::string_view strategy, Flavour mmu,
                          std::string_view preset) {
  return Setup{strategy, mmu, preset}.config();
}

inline std::vector<World> worlds() {
  MachineConfig cached = with("stolen-bits", Flavour::kTdp, "bits:47");
  cached.tlb = mmu::TlbShape::small(24);
  MachineConfig pml = with("none", Flavour::kTdp, "none");
  pml.host.pml = true;
  MachineConfig odd = with("none", Flavour::kRmap, "none");
  odd.host.nx_huge_pages = true;
  odd.host.async_page_faults = true;
  odd.host.memory_types = true;
  odd.host.slot_zap_all = false;
  odd.internal_slots = true;
  MachineConfig converting = with("mirror", Flavour::kTdp, "tdx47");
  converting.convert_on_exit = true;
  MachineConfig ringed = with("none", Flavour::kTdp, "none");
  ringed.vcpus = 0;
  return {
      {"tdp", with("none", Flavour::kTdp, "none")},
      {"rmap", with("none", Flavour::kRmap, "none")},
      {"pml", pml},
      {"rmap, host options", odd},
      {"twins", with("duplicate-slots", Flavour::kRmap, "bits:47")},
      {"stolen bits", with("stolen-bits", Flavour::kRmap, "bits:47")},
      {"stolen bits, cached", cached},
      {"zapping", with("stolen-bits-tdx", Flavour::kRmap, "tdx47")},
      {"role", with("role-private", Flavour::kTdp, "tdx47")},
      {"mirror", with("mirror", Flavour::kTdp, "tdx47")},
      {"mirror, converting", converting},
      {"precise", with("precise", Flavour::kRmap, "tdx47")},
      {"rings", ringed, true},
      {"traced", with("none", Flavour::kRmap, "none"), false, true},
  };
}

inline std::unique_ptr<Machine> make(const World& world) {
  auto machine = world::vm(world.config);
  if (world.rings) {
    world::enable(*machine, world::kRingCap, kPage);
    REQUIRE(machine->create_vcpu(0));
  }
  world::add(*machine, {.bytes = 4 * kMiB, .flags = world::kLogged});
  world::add(*machine,
             {.id = 1, .gpa = 4 * kMiB, .bytes = 8 * kMiB, .backing = 2});
  for (const std::uint64_t gpa : {kA, kA + kPage, 4 * kMiB, kHole}) {
    world::access(*machine, gpa);
  }
  if (world.config.host.async_page_faults) {
    world::host(*machine, kA + 2 * kPage, kPage, mmu::HostState::kIo);
    world::access(*machine, kA + 2 * kPage);
  }
  if (world.traced) REQUIRE(!machine->set_trace(mmu::TraceRelease::k616));
  return machine;
}

// All that both dumps say, attributes, and files and vCPUs by their next
// number being the same is left to the operation's own second try.
inline std::string all_of(Machine& machine) {
  std::string text = world::dump(std::as_const(machine)) + world::dump(machine);
  for (const std::uint64_t gpa : {kA, kA + kPage, 8 * kMiB, 64 * kMiB}) {
    text += machine.is_private(gpa).value() ? 'p' : 's';
  }
  return text + std::to_string(machine.coexisting()) + ' ' +
         std::to_string(machine.conversions());
}

}  // namespace scarce
