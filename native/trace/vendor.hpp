// Whose error codes a trace holds: one file a vendor, one entry, no list.
//
// The number called error_code is an exit qualification on Intel, the nested
// page fault code on AMD, and a #PF code under shadow paging. A vendor says
// which codes its hardware gives, and what they say of the access.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace mmu::trace {

struct Vendor {
  std::string_view name;
  std::string_view summary;
  // Asked in this order about a code that several could have given.
  unsigned rank = 0;
  // What a code should have been, for a refusal.
  std::string_view expected;
  // Access bits of a code; 0 if this hardware does not give it.
  std::uint8_t (*access)(std::uint64_t code) = nullptr;
  // Whether no other hardware gives the code. False where it gives it not.
  bool (*conclusive)(std::uint64_t code) = nullptr;
  // Whether an exit for this reason happens on this hardware only.
  bool (*exits)(std::string_view reason) = nullptr;
  // Whether an exit for this reason makes the next fault one of this kind,
  // where the code alone would be another's.
  bool (*decides)(std::string_view reason) = nullptr;
  // The faulting address is the guest's virtual one.
  bool is_virtual = false;
};

class VendorEntry {
 public:
  explicit VendorEntry(const Vendor& vendor) noexcept;
  VendorEntry(const VendorEntry&) = delete;
  VendorEntry& operator=(const VendorEntry&) = delete;

  const Vendor vendor;
  const VendorEntry* const next;
};

// All vendors, by rank.
std::span<const Vendor> vendors();
// Null if none has that name.
const Vendor* find_vendor(std::string_view name);

}  // namespace mmu::trace
