// Builders for tests of slots and logs: capabilities in a line, and all that
// can be asked of a VM as one text, to show that nothing has changed.
#pragma once

#include <sstream>

#include "alias_world.hpp"

namespace world {

inline constexpr std::uint32_t kManualProtect = 168;
inline constexpr std::uint32_t kRingCap = 192;
inline constexpr std::uint32_t kRingCapAcqRel = 223;
inline constexpr std::uint32_t kLogged = mmu::MemslotRegion::kLogDirty;
inline constexpr std::uint32_t kReadonly = mmu::MemslotRegion::kReadonly;
inline constexpr std::uint32_t kWithMemfd = mmu::MemslotRegion::kGuestMemfd;

inline mmu::MachineConfig with_kernel(mmu::Kernel kernel) {
  mmu::MachineConfig config;
  config.kernel = kernel;
  return config;
}

inline void enable(mmu::Machine& machine, std::uint32_t cap,
                   std::uint64_t arg0) {
  const auto error = machine.enable_cap(cap, 0, arg0);
  INFO((error ? error->message() : std::string()));
  REQUIRE(!error);
}

// A VM whose vCPUs have rings of so many bytes.
inline std::unique_ptr<mmu::Machine> vm_with_rings(
    std::uint64_t bytes, unsigned vcpus = 1, mmu::MachineConfig config = {}) {
  config.vcpus = 0;
  auto machine = vm(config);
  enable(*machine, kRingCap, bytes);
  for (unsigned id = 0; id < vcpus; ++id) REQUIRE(machine->create_vcpu(id));
  return machine;
}

inline std::vector<std::uint64_t> log_of(mmu::Machine& machine,
                                         std::uint32_t slot = 0) {
  const auto log = machine.dirty_log(slot, false);
  REQUIRE(log);
  return log.value();
}

inline std::uint64_t write(mmu::Machine& machine, std::uint64_t gpa,
                           std::uint64_t bytes, std::uint16_t vcpu = 0) {
  const auto done = machine.guest_write(vcpu, gpa, bytes);
  REQUIRE(done);
  return done.value().bytes_done;
}

// Everything but what a ring holds, which cannot be read without taking it.
inline std::string dump(mmu::Machine& machine) {
  std::ostringstream text;
  text << std::hex;
  for (const mmu::MemslotView& slot : machine.memslots()) {
    text << slot.slot << ' ' << slot.flags << ' ' << slot.gpa << ' '
         << slot.bytes << ' ' << slot.hva << ' ' << slot.memfd << ' '
         << slot.memfd_offset << ':';
    const auto log = machine.dirty_log(slot.slot, true);
    if (log) {
      for (const std::uint64_t word : log.value()) text << word << ',';
    }
    text << '\n';
  }
  for (unsigned as = 0; as < machine.address_spaces(); ++as) {
    text << machine.generation(as) << ' ';
  }
  for (const mmu::LeafView& leaf : machine.leaves(true)) {
    text << leaf.gpa << '=' << leaf.spte << ' ';
  }
  for (const mmu::NamedCount& count : machine.stats()) {
    text << count.name << ' ' << count.value << '\n';
  }
  const mmu::DirtyRounds rounds = machine.dirty_rounds();
  const mmu::FlushView flushes = machine.flushes();
  text << rounds.rounds << ' ' << rounds.reaping << ' ' << rounds.pages << ' '
       << flushes.full << ' ' << flushes.range << ' ' << flushes.none << ' '
       << machine.tables().bytes_in_use << ' ' << machine.config().vcpus;
  return text.str();
}

}  // namespace world
