// KVM's fault error code, made from what a processor reports.
//
// Pure functions over numbers: what a trace has recorded on one vendor's host,
// in the bits in which KVM's handler sees it.
//
// KVM: __vmx_handle_ept_violation(), npf_interception(), tdx_handle_ept_
// violation(), kvm_mmu_page_fault() (v6.16); Intel SDM vol. 3, table 28-7; AMD
// APM vol. 2, 15.25.6.
#pragma once

#include <cstdint>

#include "core/bits.hpp"

namespace mmu {

namespace pferr {

inline constexpr std::uint64_t kPresent = bit(0);
inline constexpr std::uint64_t kWrite = bit(1);
inline constexpr std::uint64_t kUser = bit(2);
inline constexpr std::uint64_t kReserved = bit(3);
inline constexpr std::uint64_t kFetch = bit(4);
inline constexpr std::uint64_t kProtectionKey = bit(5);
inline constexpr std::uint64_t kSgx = bit(15);
inline constexpr std::uint64_t kGuestRmp = bit(31);
inline constexpr std::uint64_t kGuestFinal = bit(32);
inline constexpr std::uint64_t kGuestPage = bit(33);
inline constexpr std::uint64_t kGuestEncrypted = bit(34);
inline constexpr std::uint64_t kGuestSize = bit(35);
inline constexpr std::uint64_t kGuestVmpl = bit(36);
// KVM's own, which no processor reports.
inline constexpr std::uint64_t kImplicitAccess = bit(48);
inline constexpr std::uint64_t kPrivateAccess = bit(49);
inline constexpr std::uint64_t kSynthetic = kImplicitAccess | kPrivateAccess;

}  // namespace pferr

namespace qualification {

inline constexpr std::uint64_t kRead = bit(0);
inline constexpr std::uint64_t kWrite = bit(1);
inline constexpr std::uint64_t kFetch = bit(2);
// What the entries on the way granted: R, W, X.
inline constexpr std::uint64_t kGranted = bits(5, 3);
inline constexpr std::uint64_t kLinearValid = bit(7);
// Of the page itself, not of a guest table on the way to it.
inline constexpr std::uint64_t kFinal = bit(8);

}  // namespace qualification

// `linear_bit_lost`: from v6.12 to v6.18-rc4 (fixed by d0164c161923) the bit
// that says whether a linear address is valid was looked for in the error code
// under construction, where it never is.
constexpr std::uint64_t pferr_of_violation(std::uint64_t qual,
                                           bool linear_bit_lost) {
  std::uint64_t code = 0;
  if ((qual & qualification::kRead) != 0) code |= pferr::kUser;
  if ((qual & qualification::kWrite) != 0) code |= pferr::kWrite;
  if ((qual & qualification::kFetch) != 0) code |= pferr::kFetch;
  if ((qual & qualification::kGranted) != 0) code |= pferr::kPresent;
  if (linear_bit_lost || (qual & qualification::kLinearValid) == 0) return code;
  const bool final = (qual & qualification::kFinal) != 0;
  return code | (final ? pferr::kGuestFinal : pferr::kGuestPage);
}

// The TDX module reports every private access; KVM takes it for a write.
constexpr std::uint64_t pferr_of_tdx(std::uint64_t qual, bool is_private,
                                     bool linear_bit_lost) {
  if (!is_private) return pferr_of_violation(qual, linear_bit_lost);
  return pferr_of_violation(qualification::kWrite, linear_bit_lost) |
         pferr::kPrivateAccess;
}

// No shared page may be fetched from: the guest is killed.
constexpr bool kills_tdx_guest(std::uint64_t qual, bool is_private) {
  return !is_private && (qual & qualification::kFetch) != 0;
}

constexpr std::uint64_t pferr_of_misconfig() { return pferr::kReserved; }

// exit_info_1 of a nested page fault, whose bits are KVM's own but for those
// that no processor may set. `encrypts`: SEV-SNP, where the C-bit says private.
constexpr std::uint64_t pferr_of_npf(std::uint64_t info, bool encrypts) {
  const std::uint64_t code = info & ~pferr::kSynthetic;
  const bool is_private = encrypts && (code & pferr::kGuestEncrypted) != 0;
  return is_private ? code | pferr::kPrivateAccess : code;
}

// A #PF under shadow paging: 32 bits.
constexpr std::uint64_t pferr_of_page_fault(std::uint64_t code) {
  return code & bits(31, 0);
}

}  // namespace mmu
