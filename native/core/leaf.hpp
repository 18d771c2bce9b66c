// How an entry is built from everything that has a say in it, and how it is
// taken apart to see its next use.
//
// Pure functions of values: which slot, which frame and which right it is
// about, a fault has found out before (fault.hpp).
//
// KVM: make_spte(), make_nonleaf_spte(), make_huge_page_split_spte(),
// make_huge_spte(), mark_spte_for_access_track() (v6.16).
#pragma once

#include "core/spte.hpp"

namespace mmu {

// What all entries of a VM have in common.
struct EntryRules {
  // Bits 53:52 of what is present; KVM: SPTE_TDP_AD_*.
  std::uint64_t ad_type = 0;
  // The iTLB multihit workaround: nothing is fetched from a huge page.
  bool nx_huge_pages = false;

  constexpr bool ad_disabled() const { return ad_type == ept::kAdDisabled; }
};

// What a leaf is made of; by default memory that may be used in every way.
struct LeafParts {
  Pfn pfn;
  Level level = Level::k4K;
  std::uint64_t access = ept::kPermissions;
  bool host_writable = true;
  // Somebody watches writes to the frame: they are not to be let through.
  bool write_refused = false;
  // Nobody has used it yet.
  bool prefetch = false;
  std::uint64_t memory_type = ept::kWriteBack | ept::kIgnorePat;
};

// R, W and X are gone so that KVM sees the next use.
constexpr bool is_access_tracked(Spte leaf) {
  return (leaf.raw & ept::kAdType) == ept::kAdDisabled &&
         leaf.permissions() == 0;
}

// A leaf as if nobody had used it yet.
constexpr Spte mark_unused(Spte leaf) {
  if ((leaf.raw & ept::kAdType) != ept::kAdDisabled) {
    return leaf.without(ept::kAccessed);
  }
  if (is_access_tracked(leaf)) return leaf;
  const std::uint64_t saved = leaf.raw & (ept::kRead | ept::kExec);
  return leaf.with(saved << ept::kSavedShift)
      .without(ept::kPermissions | ept::kAccessed);
}

// The reverse, for a leaf that is access-tracked. W does not come back.
constexpr Spte mark_used(Spte leaf) {
  const std::uint64_t saved = leaf.raw & ept::kSavedPermissions;
  return leaf.without(ept::kSavedPermissions)
      .with(saved >> ept::kSavedShift | ept::kAccessed);
}

constexpr Spte build_leaf(const LeafParts& parts, EntryRules rules) {
  std::uint64_t raw = ept::kSuppressVe | ept::kMmuPresent | rules.ad_type |
                      parts.memory_type | (parts.pfn.value << kPageShift) |
                      (parts.access & (ept::kRead | ept::kExec));
  if (!parts.prefetch) raw |= ept::kAccessed;
  if (parts.level != Level::k4K) {
    raw |= ept::kHuge;
    if (rules.nx_huge_pages) raw &= ~ept::kExec;
  }
  if (parts.host_writable) {
    raw |= ept::kHostWritable;
    const bool writes = (parts.access & ept::kWrite) != 0;
    if (writes && !parts.write_refused) {
      raw |= ept::kMmuWritable | ept::kWrite | ept::kDirty;
    }
  }
  return parts.prefetch ? mark_unused({raw}) : Spte{raw};
}

// A link to the table that `address`, bits 51:12, names.
constexpr Spte make_link(std::uint64_t address, EntryRules rules) {
  const Spte link = make_link(address);
  return rules.ad_disabled()
             ? link.with(ept::kAdDisabled).without(ept::kAccessed)
             : link;
}

// With X, or without, also where it is only saved.
constexpr Spte with_exec(Spte leaf, bool exec) {
  const unsigned shift = is_access_tracked(leaf) ? ept::kSavedShift : 0;
  return exec ? leaf.with(ept::kExec << shift)
              : leaf.without(ept::kExec << shift);
}

// Entry `index` of the table that replaces the huge leaf `huge`.
constexpr Spte split_child(Spte huge, Level child, unsigned index,
                           EntryRules rules = {}) {
  const std::uint64_t span = pages_per(child) << kPageShift;
  const Spte spte{huge.raw + index * span};
  if (child != Level::k4K) return spte;
  const Spte small = spte.without(ept::kHuge);
  return rules.nx_huge_pages ? with_exec(small, true) : small;
}

// The huge leaf that takes the place of a table of which `small` is a leaf.
constexpr Spte enlarge(Spte small, Level level, EntryRules rules = {}) {
  const Spte huge =
      small.without((pages_per(level) - 1) << kPageShift).with(ept::kHuge);
  return rules.nx_huge_pages ? with_exec(huge, false) : huge;
}

// Worked values of the v6.16 layout.
namespace worked {

inline constexpr Spte kPlain = build_leaf({{0x12345}}, {});
inline constexpr Spte kUnmarked = build_leaf({{0x12345}}, {ept::kAdDisabled});
inline constexpr EntryRules kNx{0, true};

static_assert(kPlain.raw == 0x8600000012345b77);
static_assert(kPlain == make_leaf({0x12345}, Level::k4K, true));
static_assert(build_leaf({.pfn = {0x12345}, .prefetch = true}, {}).raw ==
              0x8600000012345a77);
static_assert(build_leaf({.pfn = {0x12345}, .write_refused = true}, {}).raw ==
              0x8200000012345975);
static_assert(build_leaf({.pfn = {0x12345}, .host_writable = false}, {}) ==
              make_leaf({0x12345}, Level::k4K, false));
static_assert(kPlain.without(ept::kWrite | ept::kMmuWritable).raw ==
              0x8200000012345b75);
static_assert(kPlain.without(ept::kDirty).raw == 0x8600000012345977);
static_assert(kUnmarked.raw == 0x8610000012345b77);
static_assert(mark_unused(kUnmarked).raw == 0x8750000012345a70);
static_assert(mark_unused(mark_unused(kUnmarked)) == mark_unused(kUnmarked));
static_assert(mark_used(mark_unused(kUnmarked)) ==
              kUnmarked.without(ept::kWrite));
static_assert(build_leaf({.pfn = {0x12200},
                          .level = Level::k2M,
                          .access = ept::kExec,
                          .host_writable = false,
                          .prefetch = true},
                         {ept::kAdDisabled, true})
                  .raw == 0x80100000122008f0);
static_assert(build_leaf({{0x12345}}, {ept::kAdWriteProtectOnly}).raw ==
              0x8620000012345b77);
static_assert(build_leaf({{0x12200}, Level::k2M}, kNx).raw ==
              0x8600000012200bf3);
static_assert(build_leaf({{0x12345}}, kNx) == kPlain);
static_assert(build_leaf({.pfn = {0xfebf0}, .memory_type = 0}, {}).raw ==
              0x86000000febf0b07);
// Through an alias that may only fetch: nothing to write, nothing to dirty.
static_assert(build_leaf({.pfn = {0x12345}, .access = ept::kExec}, {}) ==
              kPlain.without(ept::kRead | ept::kWrite | ept::kDirty |
                             ept::kMmuWritable));
static_assert(make_link(0x4567000, {ept::kAdDisabled}).raw ==
              0x8010000004567807);
static_assert(split_child(make_leaf({0x12200}, Level::k2M, true), Level::k4K,
                          0x145) == kPlain);
static_assert(split_child(build_leaf({{0x12200}, Level::k2M}, kNx), Level::k4K,
                          0x145, kNx) == kPlain);
static_assert(enlarge(kPlain, Level::k2M) ==
              make_leaf({0x12200}, Level::k2M, true));
static_assert(enlarge(kPlain, Level::k2M, kNx) ==
              build_leaf({{0x12200}, Level::k2M}, kNx));
static_assert(
    enlarge(mark_unused(kUnmarked), Level::k2M, {ept::kAdDisabled, true}) ==
    mark_unused(build_leaf({{0x12200}, Level::k2M}, {ept::kAdDisabled, true})));

}  // namespace worked

}  // namespace mmu
