// Guest memory as the host has it: what a fault asks, and what changes it.
//
// Slots that nothing was said of answer from their own fields; the others look
// their pages up.
//
// KVM: kvm_faultin_pfn(), host_pfn_mapping_level() (v6.16).
#pragma once

#include "core/mmu.hpp"

namespace mmu {

// What the host says of one page of a slot.
struct HostAnswer {
  HostState state = HostState::kReadWrite;
  Pfn pfn{};
};

inline HostRange host_pages(const Memslot& slot, GfnRange frames) {
  const HostPage first = page_of(slot.hva_of(frames.start));
  return {first, {first.value + frames.size()}};
}

// Of slots that something was said of.
HostAnswer look_up_mapping(const Mmu& mmu, const Memslot& slot, Gfn gfn);
bool mapping_allows(const Mmu& mmu, const Memslot& slot, Gfn gfn, Level level);

inline HostAnswer look_up_host(const Mmu& mmu, const Memslot& slot, Gfn gfn) {
  if (slot.has_host_mappings) return look_up_mapping(mmu, slot, gfn);
  return {.pfn = slot.pfn_of(gfn)};
}

// Whether the host maps the page of this level around a frame, which lies in
// the slot whole, as one.
inline bool host_allows(const Mmu& mmu, const Memslot& slot, Gfn gfn,
                        Level level) {
  return slot.has_host_mappings ? mapping_allows(mmu, slot, gfn, level)
                                : level <= slot.backing;
}

// What KVM's own access finds: it waits for a page that is not in memory.
HostState reach_host(Mmu& mmu, const Memslot& slot, Gfn gfn);

constexpr bool allows_read(HostState state) {
  return state == HostState::kReadWrite || state == HostState::kReadOnly;
}

// A slot that has come into being, or to another place.
void note_host_mappings(const Mmu& mmu, Memslot& slot);

std::optional<Error> set_host_mapping(Mmu& mmu,
                                      const HostMappingRequest& request);

}  // namespace mmu
