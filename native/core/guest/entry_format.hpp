// The three formats of entries that a walk reads, as a walker asks them.
//
// Intel SDM vol. 3, 4.3 to 4.5 and 28.3.2; AMD APM vol. 2, 5.3. KVM:
// paging_tmpl.h's PTTYPE 32, 64 and PTTYPE_EPT (v6.16).
#pragma once

#include <cstdint>

#include "core/bits.hpp"
#include "core/guest/walk_rules.hpp"
#include "core/guest_permissions.hpp"

namespace mmu {

// What both formats of a guest's own have in common.
template <class W>
struct GuestEntry {
  using Word = W;
  static constexpr Word kAccessed = 1u << 5;
  static constexpr Word kDirty = 1u << 6;
  static constexpr bool is_present(Word entry) { return (entry & 1) != 0; }
  // Of what the guest's own tables forbid, no more is told than that.
  static constexpr std::uint64_t granted_rwx(Word) { return 0; }
};

struct Entry32 : GuestEntry<std::uint32_t> {
  static constexpr unsigned kIndexBits = 10;
  static constexpr std::uint64_t kFrame = bits(31, 12);
  // All rights that entries on the way grant are still there.
  static constexpr Word kAllRights = ~Word{0};
  static constexpr Word rights_of(Word entry) { return entry; }
  static constexpr unsigned granted(Word rights) {
    return kGrantsExec | (rights & 2 ? kGrantsWrite : 0) |
           (rights & 4 ? kGrantsUser : 0);
  }
  static constexpr bool is_malformed(const WalkRules&, Word) { return false; }
  static constexpr bool is_last(const WalkRules& rules, Word entry,
                                unsigned level) {
    return level == 1 || (rules.has_large_pages && (entry & bit(7)) != 0);
  }
  // PSE-36: bits 16:13 of a 4M entry are bits 35:32 of the address.
  static constexpr std::uint64_t high_bits(Word entry, unsigned level) {
    return level == 2 ? (entry & bits(16, 13)) << 19 : 0;
  }
};

struct Entry64 : GuestEntry<std::uint64_t> {
  static constexpr unsigned kIndexBits = 9;
  static constexpr std::uint64_t kFrame = bits(51, 12);
  static constexpr Word kAllRights = ~Word{0};
  static constexpr Word rights_of(Word entry) { return entry ^ bit(63); }
  static constexpr unsigned granted(Word rights) {
    return static_cast<unsigned>((rights >> 63 & 1) | (rights & 2) |
                                 (rights & 4));
  }
  static constexpr bool is_malformed(const WalkRules&, Word) { return false; }
  static constexpr bool is_last(const WalkRules&, Word entry, unsigned level) {
    return level == 1 || (entry & bit(7)) != 0;
  }
  static constexpr std::uint64_t high_bits(Word, unsigned) { return 0; }
};
static_assert(kGrantsExec == 1 && kGrantsWrite == 2 && kGrantsUser == 4);

struct EntryEpt {
  using Word = std::uint64_t;
  static constexpr unsigned kIndexBits = 9;
  static constexpr std::uint64_t kFrame = bits(51, 12);
  static constexpr Word kAccessed = bit(8);
  static constexpr Word kDirty = bit(9);
  static constexpr Word kAllRights = ~Word{0};
  static constexpr bool is_present(Word entry) { return (entry & 7) != 0; }
  static constexpr Word rights_of(Word entry) { return entry; }
  // R stands for U: who walks here reads as a user.
  static constexpr unsigned granted(Word rights) {
    return static_cast<unsigned>((rights >> 2 & 1) | (rights & 2) |
                                 (rights & 1) << 2);
  }
  static constexpr std::uint64_t granted_rwx(Word rights) { return rights & 7; }
  // Memory types 2, 3 and 7, and rights that there are not.
  // KVM: rsvd_bits_validate.bad_mt_xwr.
  static constexpr bool is_malformed(const WalkRules& rules, Word entry) {
    const unsigned type = static_cast<unsigned>(entry >> 3 & 7);
    if (type == 2 || type == 3 || type == 7) return true;
    const unsigned rwx = static_cast<unsigned>(entry & 7);
    if (rwx == 2 || rwx == 6) return true;
    return rwx == 4 && !rules.has_execute_only;
  }
  static constexpr bool is_last(const WalkRules&, Word entry, unsigned level) {
    return level == 1 || (entry & bit(7)) != 0;
  }
  static constexpr std::uint64_t high_bits(Word, unsigned) { return 0; }
};

}  // namespace mmu
