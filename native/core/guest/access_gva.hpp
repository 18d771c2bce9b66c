// One access by guest-virtual address, as a two-dimensional walk makes it.
//
// Hardware reaches each of the guest's tables through KVM's own, so each is an
// access of its own to the table's page, a write where the processor keeps
// Accessed and Dirty in KVM's tables (Intel SDM vol. 3, 29.3.5) or has just set
// a mark; then comes the page. What the guest's tables refuse is the guest's
// own page fault, of which KVM hears nothing.
//
// Law: an access by GVA leaves what accesses to its tables and its page leave
// (test/native/access_gva_test.cpp).
#pragma once

#include "core/access.hpp"

namespace mmu {

// Beside kAccess* bits: the access is by code at CPL 3.
inline constexpr std::uint8_t kAccessUser = 8;

struct GvaAccess {
  std::uint64_t gva = 0;
  std::uint8_t wanted = 0;  // kAccess* bits, and kAccessUser
  std::uint16_t vcpu = 0;
};

// kRetry, with the fault kept for who asks: the guest deals with it first.
// kEmulate: its tables lead to an address that the VM does not have. Changes of
// all accesses count. False: out of memory; what was done before stays.
bool perform_gva_access(Mmu& mmu, const GvaAccess& access, Outcome& out);

}  // namespace mmu
