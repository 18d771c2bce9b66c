// One guest access, with everything that can happen to it.
//
// The batch loop serves hits and first touches of plain VMs itself; all else
// comes here. Hardware first, behind a TLB if there is one, then KVM. Where
// KVM's answer lets the guest go on, hardware gets a second try, and what it
// cannot serve even then is stuck.
#pragma once

#include "core/fault.hpp"

namespace mmu {

struct Access {
  AliasedGfn issued;
  std::uint8_t wanted = 0;  // kAccess* bits
  std::uint16_t vcpu = 0;
};

// False: out of memory, and nothing has changed.
bool perform_access(Mmu& mmu, const Access& access, Outcome& out);

// The part after hardware's walk could not serve it. False: as above.
bool resolve_miss(Mmu& mmu, Fault& fault, Outcome& out);

}  // namespace mmu
