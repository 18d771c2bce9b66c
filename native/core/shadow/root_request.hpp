// What a vCPU's registers ask of its root.
//
// KVM: kvm_calc_cpu_role(), kvm_init_shadow_mmu() (v6.16).
#pragma once

#include <array>

#include "core/guest/registers.hpp"
#include "core/role.hpp"

namespace mmu {

struct RootRequest {
  // Of the tables that KVM makes.
  PageRole role;
  // Levels of the guest's own tables: 0 with paging off, 2 of 32 bits, 3 of
  // PAE, 4 and 5.
  unsigned guest_levels = 0;
  std::uint64_t pgd = 0;  // CR3
  // PAE's root entries.
  std::array<std::uint64_t, 4> pdptrs{};

  bool is_direct() const { return guest_levels == 0; }
};

// Registers that KVM_SET_SREGS has taken; of their address nothing is judged.
RootRequest root_request(const GuestRegisters& registers,
                         const std::array<std::uint64_t, 4>& pdptrs);

}  // namespace mmu
