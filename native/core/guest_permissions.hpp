// What a guest's own page-table entry forbids: for every kind of access a byte,
// in it a bit for every combination of rights that an entry may grant.
//
// The index of a byte is bits 4:1 of KVM's fault error code; its bit 2, which
// no walk reports at that point, says that SMAP does not apply, because of
// EFLAGS.AC or because the supervisor did not mean to reach user memory. The
// index of a bit is what the entry grants: X 1, W 2, U 4.
//
// KVM: struct kvm_mmu.permissions, update_permission_bitmask() (v6.16).
#pragma once

#include <array>

#include "core/pferr.hpp"

namespace mmu {

// Bits of CR0, CR4 and EFER that have a say.
struct GuestControls {
  bool write_protect = false;  // CR0.WP: the supervisor heeds W too
  bool smep = false;
  bool smap = false;
  bool no_execute = false;
};

// Tables in EPT format have rights of their own for everything.
inline constexpr GuestControls kEptControls{.write_protect = true,
                                            .no_execute = true};

inline constexpr unsigned kGrantsExec = 1;
inline constexpr unsigned kGrantsWrite = 2;
inline constexpr unsigned kGrantsUser = 4;

constexpr bool is_forbidden(GuestControls controls, std::uint64_t error_code,
                            unsigned granted) {
  const bool writes = (error_code & pferr::kWrite) != 0;
  const bool fetches = (error_code & pferr::kFetch) != 0;
  const bool by_user = (error_code & pferr::kUser) != 0;
  const bool beyond_smap = (error_code & pferr::kReserved) != 0;
  const bool users_page = (granted & kGrantsUser) != 0;
  if (by_user && !users_page) return true;
  if (writes && (granted & kGrantsWrite) == 0 &&
      (by_user || controls.write_protect)) {
    return true;
  }
  if (fetches && controls.no_execute && (granted & kGrantsExec) == 0) {
    return true;
  }
  if (by_user || !users_page) return false;
  return fetches ? controls.smep : controls.smap && !beyond_smap;
}

constexpr std::array<std::uint8_t, 16> permission_bytes(
    GuestControls controls) {
  std::array<std::uint8_t, 16> bytes{};
  for (unsigned index = 0; index < bytes.size(); ++index) {
    for (unsigned granted = 0; granted < 8; ++granted) {
      const bool is_set =
          is_forbidden(controls, std::uint64_t{index} << 1, granted);
      bytes[index] |= static_cast<std::uint8_t>(unsigned{is_set} << granted);
    }
  }
  return bytes;
}

}  // namespace mmu
