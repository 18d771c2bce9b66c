// What a walk of a guest's tables has to know of registers and CPUID, worked
// out once: which format, how deep, which bits are reserved, what is forbidden.
//
// KVM: struct kvm_mmu of a guest: reset_guest_rsvds_bits_mask(),
// update_permission_bitmask(), update_pkru_bitmask() (v6.16).
#pragma once

#include <array>
#include <cstdint>

#include "core/guest/registers.hpp"

namespace mmu {

enum class GuestFormat : std::uint8_t {
  kNone,  // paging is off
  k32,    // 4-byte entries
  k64,    // 8-byte entries: PAE, 4 and 5 levels
  kEpt,   // 8-byte entries of a second level
};

struct WalkRules {
  GuestFormat format = GuestFormat::kNone;
  // Of the first table that lies in memory; PAE's root entries do not.
  std::uint8_t top_level = 0;
  bool has_pdptrs = false;
  // A large page at level 2 of 4-byte entries; the others always have them.
  bool has_large_pages = true;
  // A guest that can tell fetches apart is told of them.
  bool tells_fetch = false;
  // The supervisor heeds W, and a key's write-disable.
  bool write_protect = false;
  bool smap_suspended = false;  // RFLAGS.AC
  bool has_keys = false;
  // Whether Accessed and Dirty are kept: always, but for EPT that has none.
  bool keeps_ad = true;
  // EPT: whether X alone is a right, and which sizes there are.
  bool has_execute_only = false;
  std::uint32_t pkru = 0;
  // CR3 or EPTP.
  std::uint64_t root = 0;
  // PAE's root entries, as they were loaded last.
  std::array<std::uint64_t, 4> pdptrs{};
  // Address bits of an entry that an alias scheme has taken for itself.
  std::uint64_t stolen = 0;
  // By bit 7, then by level.
  std::array<std::array<std::uint64_t, 6>, 2> reserved{};
  // guest_permissions.hpp.
  std::array<std::uint8_t, 16> permissions{};
};

// `stolen`: of a gpa; 0 where the VM has no alias bits.
// `has_1g`: false for a kernel that knows no 1G pages of guests.
WalkRules guest_walk_rules(const GuestRegisters& registers,
                           const GuestCpuid& cpuid, std::uint64_t stolen,
                           bool has_1g);

WalkRules ept_walk_rules(const EptControls& controls, const GuestCpuid& cpuid);

}  // namespace mmu
