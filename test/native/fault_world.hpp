// Builders for tests of the fault path: a dump of all that a VM can be asked,
// so that a refusal can be shown to have changed nothing.
#pragma once

#include <sstream>

#include "alias_world.hpp"

namespace world {

// Everything but what the caller leaves out by taking the difference of
// statistics itself.
inline std::string dump(const mmu::Machine& machine, bool with_stats = true) {
  std::ostringstream text;
  text << std::hex;
  for (const mmu::LeafView& leaf : machine.leaves(true)) {
    text << leaf.gpa << ' ' << leaf.spte << ' ' << int{leaf.level} << '\n';
  }
  for (const mmu::TableView& table : machine.table_list()) {
    text << table.gpa << ' ' << table.parents << ' ' << int{table.level} << ' '
         << int{table.root} << '\n';
  }
  for (const mmu::MemslotView& slot : machine.memslots()) {
    text << slot.slot << ' ' << slot.flags << ' ' << slot.gpa << ' '
         << slot.bytes << ' ' << slot.hva << ' ' << slot.dirty_pages << '\n';
  }
  const mmu::InvalidationView open = machine.invalidation();
  text << open.in_progress << ' ' << open.start << ' ' << open.end << ' '
       << open.sequence << '\n';
  for (unsigned as_id = 0; as_id < mmu::kAddressSpaces; ++as_id) {
    text << machine.generation(as_id) << '\n';
  }
  const mmu::FlushView flushes = machine.flushes();
  text << flushes.none << ' ' << flushes.range << ' ' << flushes.full << '\n';
  if (!with_stats) return text.str();
  for (const mmu::NamedCount& count : machine.stats()) {
    text << count.name << ' ' << count.value << '\n';
  }
  return text.str();
}

// How far statistics have moved: "pf_taken 1, pf_fixed 1".
template <class Act>
std::string counted_by(const mmu::Machine& machine, Act act) {
  const auto before = stats(machine);
  act();
  std::string text;
  for (const auto& [name, now] : stats(machine)) {
    if (!name.starts_with("pf_")) continue;
    const std::uint64_t was = before.at(name);
    if (now == was) continue;
    text += (text.empty() ? "" : ", ") + name + ' ' + std::to_string(now - was);
  }
  return text;
}

inline mmu::Outcome begin(mmu::Machine& machine, std::uint64_t gpa,
                          std::uint64_t bytes = kPage) {
  return operate(machine, mmu::EventKind::kHvaBegin, kHvaBase + gpa, bytes);
}
inline mmu::Outcome end(mmu::Machine& machine, std::uint64_t gpa,
                        std::uint64_t bytes = kPage) {
  return operate(machine, mmu::EventKind::kHvaEnd, kHvaBase + gpa, bytes);
}
inline mmu::Outcome of_vcpu(mmu::Machine& machine, mmu::EventKind kind,
                            std::uint16_t vcpu, std::uint64_t gpa = 0,
                            std::uint64_t bytes = 0, std::uint8_t access = 0) {
  const auto outcome = machine.step({.kind = kind,
                                     .access = access,
                                     .vcpu = vcpu,
                                     .gpa = gpa,
                                     .bytes = bytes});
  REQUIRE(outcome);
  return outcome.value();
}

inline void host(mmu::Machine& machine, std::uint64_t gpa, std::uint64_t bytes,
                 mmu::HostState state) {
  const auto refused = machine.set_host_mapping(
      {.hva = kHvaBase + gpa, .bytes = bytes, .state = state});
  REQUIRE(!refused);
}

inline constexpr mmu::Flavour kBothFlavours[] = {mmu::Flavour::kTdp,
                                                 mmu::Flavour::kRmap};

}  // namespace world
