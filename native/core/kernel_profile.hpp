// What differs between the kernels that are modelled, as data.
//
// One row a kernel. Behaviour asks for a property and never for a version, so
// that a further kernel is a further row.
//
// Sources: Linux v6.16, v5.10; answers of a 6.18 kernel whose KVM pages by
// shadow only, kept in test/vectors.
#pragma once

#include <array>
#include <cstdint>

#include "core/bits.hpp"
#include "core/machine.hpp"

namespace mmu {

struct KernelProfile {
  // KVM_USER_MEM_SLOTS: user ids begin at 0 and end below this one.
  std::uint32_t user_slots;
  // Of a VM without private memory: normal and, with SMM, one more.
  unsigned address_spaces;
  bool has_guest_memfd;
  // Any VM may have slots with a guest_memfd, not only those with private
  // memory.
  bool memfd_for_all;
  // Flags that KVM_CREATE_GUEST_MEMFD takes.
  std::uint64_t memfd_flags;
  bool has_dirty_ring;
  // Width of the addresses that slots may have: the host's MAXPHYADDR where it
  // is 0. KVM: kvm_mmu_max_gfn(); shadow paging has room for 52 bits.
  unsigned gpa_bits;
  // Width of a user address, 0 where it follows the host's MAXPHYADDR.
  unsigned user_address_bits;
  // Of the slot generation, in an MMIO entry.
  unsigned mmio_generation_bits;
  // What KVM_CAP_DISABLE_QUIRKS2 may name; 0 where there is no such capability.
  std::uint64_t quirks;
  // A guest's CR0.PG is forgotten outside long mode.
  bool pages_in_long_mode_alone;
  // Whether a guest may have pages of 1G, if its CPUID says so.
  bool has_guest_1g;
  // Bits of CR4 that every guest may set, and no others; 0: by its CPUID.
  std::uint64_t guest_cr4;
  // The host's processor has one dimension of paging, so KVM shadows the
  // guest's tables. KVM: tdp_enabled is false.
  bool pages_by_shadow;
};

// KVM_X86_QUIRK_SLOT_ZAP_ALL.
inline constexpr std::uint64_t kQuirkSlotZapAll = bit(7);

namespace kernels {
// GUEST_MEMFD_FLAG_MMAP, GUEST_MEMFD_FLAG_INIT_SHARED.
inline constexpr std::uint64_t kShareableMemfd = bit(0) | bit(1);
// KVM_X86_QUIRK_LINT0_REENABLED to KVM_X86_QUIRK_IGNORE_GUEST_PAT.
inline constexpr std::uint64_t kQuirks = bits(9, 0);
// KVM_X86_QUIRK_IGNORE_GUEST_PAT is VMX's own; what a v6.18 host without VMX
// answers to KVM_CHECK_EXTENSION: 0x5ff.
inline constexpr std::uint64_t kPvmQuirks = bits(8, 0) | bit(10);
inline constexpr std::uint32_t kSlots = 32764;
// All but VMX, PCIDs and what came after 5-level paging, that included.
inline constexpr std::uint64_t kOldCr4 =
    bits(11, 0) | bit(16) | bit(18) | bits(22, 20);

// By Kernel.
inline constexpr std::array<KernelProfile, 3> kProfiles{{
    {kSlots, 2, true, false, 0, true, 0, 0, 19, kQuirks, false, true, 0, false},
    {509, 2, false, false, 0, false, 64, 0, 18, 0, false, true, 0, false},
    {kSlots, 1, true, true, kShareableMemfd, true, 52, 47, 19, kPvmQuirks, true,
     false, kOldCr4, true},
}};
}  // namespace kernels

constexpr const KernelProfile& profile_of(Kernel kernel) {
  return kernels::kProfiles[static_cast<unsigned>(kernel)];
}

static_assert(profile_of(Kernel::k616).user_slots == 32764);
static_assert(profile_of(Kernel::k510).user_slots == 509);
static_assert(profile_of(Kernel::kPvm618).address_spaces == 1);

}  // namespace mmu
