// The guest of a VM: its memory, and what each of its vCPUs pages by.
//
// Made when somebody asks for it first: a VM whose accesses are guest-physical
// has none.
#pragma once

#include <vector>

#include "core/guest/guest_memory.hpp"
#include "core/guest/registers.hpp"
#include "core/guest/walk_rules.hpp"

namespace mmu {

struct GuestVcpu {
  GuestCpuid cpuid;
  GuestRegisters registers;
  NestedPaging nested;
  // Worked out from the three above.
  WalkRules rules;
  WalkRules second;

  const WalkRules* second_level() const {
    return nested.kind == NestedPaging::Kind::kNone ? nullptr : &second;
  }
};

struct Guest {
  GuestMemory memory;
  std::vector<GuestVcpu> vcpus;  // as far as any was asked for
};

}  // namespace mmu
