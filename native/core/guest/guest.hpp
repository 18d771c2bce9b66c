// The guest of a VM: its memory, and what each of its vCPUs pages by.
//
// Made when somebody asks for it first: a VM whose accesses are guest-physical
// has none.
#pragma once

#include <optional>
#include <vector>

#include "core/guest/guest_memory.hpp"
#include "core/guest/registers.hpp"
#include "core/guest/translation.hpp"
#include "core/guest/walk_rules.hpp"

namespace mmu {

struct GuestVcpu {
  GuestCpuid cpuid;
  GuestRegisters registers;
  NestedPaging nested;
  // Worked out from the three above.
  WalkRules rules;
  WalkRules second;
  // What its tables refused last, if they refused its last access by GVA.
  std::optional<GuestFault> last_fault{};

  const WalkRules* second_level() const {
    return nested.kind == NestedPaging::Kind::kNone ? nullptr : &second;
  }
};

struct Guest {
  GuestMemory memory;
  std::vector<GuestVcpu> vcpus;  // as far as any was asked for
  // Whether accesses of events are by guest-virtual address.
  bool is_addressed_by_gva = false;
  // For one walk at a time; here so that none asks for memory.
  std::vector<GuestReference> trail;
};

}  // namespace mmu
