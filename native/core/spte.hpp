// One 64-bit entry of a table that KVM maintains, in the EPT layout of v6.16.
//
// An entry is empty, a link to a lower table, a leaf that maps memory, or an
// MMIO entry: a value that hardware reports as a misconfiguration and that
// tells KVM "no memslot here" without a lookup. This file knows the bits and
// nothing about tables; who may change an entry is page_table.hpp's business.
//
// KVM: arch/x86/kvm/mmu/spte.h, make_spte(), make_nonleaf_spte(),
// make_mmio_spte() (v6.16).
#pragma once

#include <cstdint>

#include "core/address.hpp"
#include "core/bits.hpp"

namespace mmu {

namespace ept {

// Permissions. Hardware reads them; W without R is a misconfiguration.
inline constexpr std::uint64_t kRead = bit(0);
inline constexpr std::uint64_t kWrite = bit(1);
inline constexpr std::uint64_t kExec = bit(2);
inline constexpr std::uint64_t kPermissions = bits(2, 0);

// Memory type of a leaf: write-back, guest PAT ignored.
inline constexpr unsigned kMemoryTypeShift = 3;
inline constexpr std::uint64_t kWriteBack = std::uint64_t{6}
                                            << kMemoryTypeShift;
inline constexpr std::uint64_t kIgnorePat = bit(6);

// Set on a leaf above level 1.
inline constexpr std::uint64_t kHuge = bit(7);

// Set by hardware on use and on the first write. KVM sets them when it
// installs a leaf, so that the first access does not have to.
inline constexpr std::uint64_t kAccessed = bit(8);
inline constexpr std::uint64_t kDirty = bit(9);

// Ignored by hardware. Tells a mapping from everything else that is not zero;
// MMIO and frozen entries never carry it.
inline constexpr std::uint64_t kMmuPresent = bit(11);

inline constexpr std::uint64_t kAddress = bits(51, 12);

// Ignored by hardware. Who keeps Accessed and Dirty of this entry: 0 hardware,
// 1 nobody, so that KVM has to watch, 2 hardware, but KVM takes W to see
// writes.
inline constexpr std::uint64_t kAdType = bits(53, 52);
inline constexpr std::uint64_t kAdDisabled = bit(52);
inline constexpr std::uint64_t kAdWriteProtectOnly = bit(53);

// R and X of an entry that lost them so that its next use is seen.
inline constexpr unsigned kSavedShift = 54;
inline constexpr std::uint64_t kSavedPermissions = (kRead | kExec)
                                                   << kSavedShift;

// Ignored by hardware. The host side of this page may be written: fixed for
// as long as the entry is present.
inline constexpr std::uint64_t kHostWritable = bit(57);

// Ignored by hardware. W may be set again without asking anybody: it was only
// taken away to notice the next write. Implies kHostWritable.
inline constexpr std::uint64_t kMmuWritable = bit(58);

// Of the 2020 TDX patches: a private leaf that hardware may not use any more
// and whose frame is kept. Only in entries that are not present.
inline constexpr std::uint64_t kBlocked = bit(62);

// No #VE: set in every entry, present or not, except MMIO ones.
inline constexpr std::uint64_t kSuppressVe = bit(63);

inline constexpr std::uint64_t kEmpty = kSuppressVe;

// Of an entry whose table is being taken down; everybody else backs off. With
// one thread nobody meets it, but a trace shows it.
inline constexpr std::uint64_t kFrozen = kSuppressVe | 0x5a0;

// RWX of an MMIO entry: writable but not readable, which no EPT accepts.
inline constexpr std::uint64_t kMmioMarker = kWrite | kExec;
inline constexpr std::uint64_t kMmioMask = kSuppressVe | kPermissions;

// The generation of the memslots is spread around the address field.
inline constexpr unsigned kGenerationBits = 19;
inline constexpr unsigned kGenerationLowBits = 8;
inline constexpr unsigned kGenerationLowShift = 3;
inline constexpr unsigned kGenerationHighShift = 52;

static_assert((kAddress & (kHuge | kAccessed | kDirty | kMmuPresent)) == 0);
static_assert((kAddress & (kHostWritable | kMmuWritable | kSuppressVe)) == 0);
// A generation never reaches the MMU-present bit or the address.
static_assert(kGenerationLowShift + kGenerationLowBits <= 11);

}  // namespace ept

struct Spte {
  std::uint64_t raw = ept::kEmpty;

  friend constexpr bool operator==(Spte, Spte) = default;

  constexpr bool has(std::uint64_t mask) const { return (raw & mask) == mask; }
  constexpr bool is_empty() const { return raw == ept::kEmpty; }
  constexpr bool is_frozen() const { return raw == ept::kFrozen; }
  constexpr bool is_present() const { return has(ept::kMmuPresent); }
  constexpr bool is_mmio() const {
    return (raw & ept::kMmioMask) == ept::kMmioMarker;
  }
  constexpr bool is_blocked() const {
    return (raw & (ept::kBlocked | ept::kSuppressVe | ept::kMmuPresent)) ==
           (ept::kBlocked | ept::kSuppressVe);
  }
  constexpr bool is_leaf(Level level) const {
    return is_present() && (level == Level::k4K || has(ept::kHuge));
  }
  constexpr bool is_link(Level level) const {
    return is_present() && !is_leaf(level);
  }
  constexpr bool is_writable() const { return has(ept::kWrite); }
  constexpr Pfn pfn() const { return {(raw & ept::kAddress) >> kPageShift}; }
  constexpr std::uint64_t permissions() const {
    return raw & ept::kPermissions;
  }

  constexpr Spte with(std::uint64_t mask) const { return {raw | mask}; }
  constexpr Spte without(std::uint64_t mask) const { return {raw & ~mask}; }
};

// A leaf as make_spte() builds it for a fault: accessed, and where the host
// side is writable, writable and dirty at once.
constexpr Spte make_leaf(Pfn pfn, Level level, bool host_writable) {
  std::uint64_t raw = ept::kSuppressVe | ept::kMmuPresent | ept::kRead |
                      ept::kExec | ept::kAccessed | ept::kWriteBack |
                      ept::kIgnorePat | (pfn.value << kPageShift);
  if (level != Level::k4K) raw |= ept::kHuge;
  if (host_writable) {
    raw |= ept::kHostWritable | ept::kMmuWritable | ept::kWrite | ept::kDirty;
  }
  return {raw};
}

// A private leaf on hold. TDX RFC v1 41/67: SPTE_PRIVATE_ZAPPED.
constexpr Spte make_blocked(Pfn pfn) {
  return {ept::kSuppressVe | ept::kBlocked | (pfn.value << kPageShift)};
}

// A link to the table that `address`, bits 51:12, names.
constexpr Spte make_link(std::uint64_t address) {
  return {ept::kSuppressVe | ept::kMmuPresent | ept::kPermissions |
          ept::kAccessed | address};
}

// `generation`: of the slot set, any width; its low 19 bits are kept.
constexpr Spte make_mmio(Gfn gfn, std::uint64_t generation) {
  const std::uint64_t low = generation & (bit(ept::kGenerationLowBits) - 1);
  const std::uint64_t high =
      (generation & (bit(ept::kGenerationBits) - 1)) >> ept::kGenerationLowBits;
  return {ept::kMmioMarker | (gfn.value << kPageShift) |
          (low << ept::kGenerationLowShift) |
          (high << ept::kGenerationHighShift)};
}

constexpr std::uint64_t mmio_generation(Spte spte) {
  const std::uint64_t low = (spte.raw >> ept::kGenerationLowShift) &
                            (bit(ept::kGenerationLowBits) - 1);
  const std::uint64_t high =
      (spte.raw >> ept::kGenerationHighShift) &
      (bit(ept::kGenerationBits - ept::kGenerationLowBits) - 1);
  return low | (high << ept::kGenerationLowBits);
}

constexpr Gfn mmio_frame(Spte spte) {
  return {(spte.raw & ept::kAddress) >> kPageShift};
}

// Worked values of the v6.16 layout.
static_assert(make_leaf({0x12345}, Level::k4K, true).raw == 0x8600000012345b77);
static_assert(make_leaf({0x12345}, Level::k4K, true).without(ept::kWrite).raw ==
              0x8600000012345b75);
static_assert(make_leaf({0x12345}, Level::k4K, false).raw ==
              0x8000000012345975);
static_assert(make_leaf({0x12200}, Level::k2M, true).without(ept::kExec).raw ==
              0x8600000012200bf3);
static_assert(make_link(0x4567000).raw == 0x8000000004567907);
static_assert(make_mmio({0xfee00}, 0).raw == 0x00000000fee00006);
static_assert(make_mmio({0xfee00}, 2).raw == 0x00000000fee00016);
static_assert(make_mmio({0xfee00}, 0x102).raw == 0x00100000fee00016);
static_assert(make_mmio({0xfee00}, 0x7fffe).raw == 0x7ff00000fee007f6);
static_assert(make_mmio({0x800000000}, 6).raw == 0x0000800000000036);
static_assert(mmio_generation(make_mmio({0xfee00}, 0x7fffe)) == 0x7fffe);
static_assert(make_mmio({0xfee00}, 0x7fffe).is_mmio());
static_assert(mmio_frame(make_mmio({0xfee00}, 0x7fffe)) == Gfn{0xfee00});
static_assert(!Spte{ept::kFrozen}.is_mmio() &&
              !Spte{ept::kFrozen}.is_present());
static_assert(!Spte{}.is_mmio() && !Spte{}.is_present());
static_assert(!Spte{}.is_blocked() && make_blocked({0}).is_blocked());
static_assert(!make_blocked({~std::uint64_t{0} >> 24}).is_mmio());

}  // namespace mmu
