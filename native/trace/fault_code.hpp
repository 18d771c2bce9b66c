// What a recorded error code says about the access that faulted.
//
// The number called error_code means different things: an EPT exit
// qualification on Intel, the NPF code on AMD, a #PF code under shadow paging.
// A value that its table cannot have produced must be refused: read with the
// wrong table, an AMD read would pass for an instruction fetch, silently.
#pragma once

#include <cstdint>

#include "core/bits.hpp"
#include "core/event.hpp"

namespace mmu::trace {

// Bits of an EPT exit qualification (Intel SDM, "Exit Qualification for EPT
// Violations"). Bits 0-2 are the access, with the meaning and the order of
// our access column.
inline constexpr std::uint64_t kQualificationReadable = bit(3);
inline constexpr std::uint64_t kQualificationWritable = bit(4);
inline constexpr std::uint64_t kQualificationLinearValid = bit(7);
// The architecture defines fewer. An NPF code has bit 32 or 33 set, though
// kernels before v6.1 print only its low half.
inline constexpr unsigned kQualificationBits = 32;

// Access bits of an exit qualification; 0 if no EPT violation gives it.
constexpr std::uint8_t access_of_qualification(std::uint64_t value) {
  const auto access = static_cast<std::uint8_t>(value & kAccessMask);
  if (value == 0) return kAccessRead;
  if (!fits(value, kQualificationBits)) return 0;
  // Writable without readable is a misconfiguration, never a violation.
  const bool writable = (value & kQualificationWritable) != 0;
  if (writable && (value & kQualificationReadable) == 0) return 0;
  if ((access & kAccessFetch) == 0) return access;
  // A fetch is only a fetch, and always has a linear address.
  const bool linear = (value & kQualificationLinearValid) != 0;
  return access == kAccessFetch && linear ? access : 0;
}

// KVM's PFERR bits, as VMX derives them (KVM: __vmx_handle_ept_violation(),
// v6.16): "user" stands for a data read.
inline constexpr std::uint64_t kPferrPresent = bit(0);
inline constexpr std::uint64_t kPferrWrite = bit(1);
inline constexpr std::uint64_t kPferrUser = bit(2);
inline constexpr std::uint64_t kPferrFetch = bit(4);
inline constexpr std::uint64_t kPferrMask =
    kPferrPresent | kPferrWrite | kPferrUser | kPferrFetch;

// The access that a PFERR code without other bits names, without a branch; 0
// for none.
constexpr std::uint8_t access_in_pferr(std::uint32_t code) {
  return static_cast<std::uint8_t>((code >> 2 & kAccessRead) |
                                   (code & kAccessWrite) |
                                   (code >> 2 & kAccessFetch));
}

// Access bits of a PFERR code; 0 if it names no access or has other bits.
constexpr std::uint8_t access_of_pferr(std::uint64_t code) {
  if ((code & ~kPferrMask) != 0) return 0;
  return access_in_pferr(static_cast<std::uint32_t>(code));
}

static_assert(access_of_qualification(0x181) == kAccessRead);
static_assert(access_of_qualification(0x683) == (kAccessRead | kAccessWrite));
static_assert(access_of_qualification(0x784) == kAccessFetch);
static_assert(access_of_qualification(0x002) == kAccessWrite);
static_assert(access_of_qualification(0x100000004) == 0);  // AMD, read
static_assert(access_of_qualification(0x14) == 0);  // AMD, cut to 32 bits
static_assert(access_of_pferr(0x7) == (kAccessRead | kAccessWrite));
static_assert(access_of_pferr(kPferrUser) == kAccessRead);
static_assert(access_of_pferr(kPferrFetch) == kAccessFetch);
static_assert(access_of_pferr(0x1) == 0);

}  // namespace mmu::trace
