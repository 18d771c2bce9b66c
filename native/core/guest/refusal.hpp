// What the rights of a whole walk forbid.
//
// KVM: permission_fault(), update_permission_bitmask(), update_pkru_bitmask()
// (v6.16).
#pragma once

#include "core/guest/walk_rules.hpp"
#include "core/guest_permissions.hpp"
#include "core/pferr.hpp"

namespace mmu {

// A key has no say in fetches, nor over the supervisor's own pages.
inline bool is_forbidden_by_key(const WalkRules& rules, std::uint64_t leaf,
                                unsigned granted, std::uint64_t access) {
  if (!rules.has_keys || (granted & kGrantsUser) == 0) return false;
  if ((access & pferr::kFetch) != 0) return false;
  const std::uint32_t rights = rules.pkru >> (2 * (leaf >> 59 & 15));
  if ((rights & 1) != 0) return true;
  const bool heeds = (access & pferr::kUser) != 0 || rules.write_protect;
  return (access & pferr::kWrite) != 0 && heeds && (rights & 2) != 0;
}

inline bool is_forbidden(const WalkRules& rules, unsigned granted,
                         std::uint64_t access) {
  const bool beyond_smap =
      rules.smap_suspended && (access & pferr::kImplicitAccess) == 0;
  const std::uint64_t code = (access & bits(4, 1) & ~pferr::kReserved) |
                             (beyond_smap ? pferr::kReserved : 0);
  return (rules.permissions[code >> 1] >> granted & 1) != 0;
}

// Why the tables forbid it, as bits of the error code; 0 if they do not.
inline std::uint64_t refusal(const WalkRules& rules, std::uint64_t leaf,
                             unsigned granted, std::uint64_t access) {
  if (is_forbidden_by_key(rules, leaf, granted, access)) {
    return pferr::kPresent | pferr::kProtectionKey;
  }
  return is_forbidden(rules, granted, access) ? pferr::kPresent : 0;
}

}  // namespace mmu
