// Many walks, the plain ones quickly: tables of 4 or 5 levels, all entries
// there, in order and marked already. Any other is walked by GuestWalker, in
// its turn.
//
// What a plain walk may skip: an entry above the last table that is present, in
// order and marked stays so, as nothing but marks is written. So the way to the
// last table of a region is remembered, and a walk there is one load; those of
// a group are asked for together before the first is looked at.
//
// Law: the columns, the marks and the log are those of translate(), row by row
// (test/native/translate_batch_test.cpp).
#include <algorithm>

#include "core/guest/entry_format.hpp"
#include "core/guest/guest_calls.hpp"
#include "core/guest/leaf_group.hpp"
#include "core/guest/refusal.hpp"
#include "core/guest/region_cache.hpp"
#include "core/guest/slot_bytes.hpp"
#include "core/guest/walk.hpp"

namespace mmu {
namespace {

// Fewer rows do not pay for the memory of a cache.
constexpr std::size_t kFewRows = 4096;
constexpr std::size_t kGroup = kLeafGroup;

void put(const TranslationColumns& columns, std::size_t row,
         const GuestTranslation& found) {
  columns.gpa[row] = static_cast<double>(found.gpa);
  columns.error_code[row] = static_cast<std::uint32_t>(found.fault.error_code);
  columns.ended[row] = static_cast<std::uint8_t>(found.ended);
  columns.level[row] = found.level;
  columns.granted[row] = found.granted;
}

class PlainWalks {
 public:
  PlainWalks(const WalkRules& rules, const SlotBytes& slots,
             std::uint64_t access)
      : rules_(rules), slots_(slots), access_(access) {
    const bool dirties = (access & pferr::kWrite) != 0;
    leaf_needs_ = kNeeded | (dirties ? Entry64::kDirty : 0);
    for (unsigned granted = 0; granted < 8; ++granted) {
      const bool is_forbidden = refusal(rules, 0, granted, access) != 0;
      forbidden_ |= unsigned{is_forbidden} << granted;
    }
    demands_ = {leaf_needs_, rules.reserved[0][1], forbidden_};
  }

  // All rows. Calls other(row), in order, for each that is none of the plain
  // ones. While a group is judged the leaves of the next are on their way.
  template <class Other>
  void walk_groups(const TranslationColumns& columns, Other other) {
    RegionCache regions;
    const std::size_t whole =
        rules_.has_keys ? 0 : columns.count / kGroup * kGroup;
    std::array<LeafGroup, 2> groups;
    if (whole != 0) ask(columns.gva, regions, groups[0]);
    for (std::size_t row = 0; row < whole; row += kGroup) {
      const LeafGroup& group = groups[row / kGroup % 2];
      const std::size_t next = row + kGroup;
      if (next < whole) {
        ask(columns.gva + next, regions, groups[next / kGroup % 2]);
      }
      if (take_leaves(columns, row, group)) continue;
      walk_rows(columns, row, next, regions, other);
    }
    walk_rows(columns, whole, columns.count, regions, other);
  }
  // False: the row is none of the plain ones, and nothing was done.
  bool walk(const TranslationColumns& columns, std::size_t row) {
    const std::uint64_t gva = columns.gva[row];
    std::uint64_t all = Entry64::kAllRights;
    std::uint64_t entry = rules_.root;
    for (unsigned level = rules_.top_level;; --level) {
      const std::byte* const table = table_at(entry);
      if (table == nullptr) return false;
      entry = load(table, gva, level);
      if (Entry64::is_last(rules_, entry, level)) {
        const bool is_plain = (all & kNeeded) == kNeeded;
        return is_plain &&
               finish(columns, row, entry, Entry64::granted(all), level);
      }
      if (is_reserved(entry, level)) return false;
      all &= Entry64::rights_of(entry);
    }
  }

 private:
  static constexpr std::uint64_t kNeeded = 1 | Entry64::kAccessed;

  static std::uint64_t offset_of(std::uint64_t gva, unsigned level) {
    return (gva >> (kPageShift + 9 * (level - 1)) & 511) * 8;
  }
  static std::uint64_t load(const std::byte* table, std::uint64_t gva,
                            unsigned level) {
    std::uint64_t entry = 0;
    std::memcpy(&entry, table + offset_of(gva, level), sizeof(entry));
    return entry;
  }

  // Null where another must look.
  const std::byte* table_at(std::uint64_t pointer) {
    const std::uint64_t gpa = pointer & Entry64::kFrame & ~rules_.stolen;
    if (!view_.holds(gpa)) [[unlikely]] {
      view_ = slots_.find(gpa);
      if (view_.bytes == 0) return nullptr;
    }
    return view_.at(gpa);
  }

  bool is_reserved(std::uint64_t entry, unsigned level) const {
    return (entry & rules_.reserved[entry >> 7 & 1][level]) != 0;
  }

  bool take_leaf(const TranslationColumns& columns, std::size_t row,
                 RegionCache::Known known) const {
    const std::uint64_t leaf = load(known.table(), columns.gva[row], 1);
    return finish(columns, row, leaf, known.granted(), 1);
  }

  template <class Other>
  void walk_rows(const TranslationColumns& columns, std::size_t row,
                 std::size_t end, RegionCache& regions, Other other) {
    for (; row < end; ++row) {
      const std::uint64_t gva = columns.gva[row];
      RegionCache::Known known = regions.find(gva);
      if (!known) known = learn(gva, regions);
      const bool done =
          known ? take_leaf(columns, row, known) : walk(columns, row);
      if (!done) other(row);
    }
  }

  // Asks for the leaves of a group.
  void ask(const std::uint64_t* gva, RegionCache& regions, LeafGroup& group) {
    group.gva = gva;
    for (std::size_t i = 0; i < kGroup; ++i) {
      RegionCache::Known known = regions.find(gva[i]);
      if (!known) [[unlikely]] {
        known = learn(gva[i], regions);
      }
      group.at[i] = known.table() + offset_of(gva[i], 1);
      group.above[i] = known.word();
      __builtin_prefetch(group.at[i]);
    }
  }

  // A whole group of 4K pages at once. False: some row is none of the plain
  // ones, and all are to be done by themselves.
  bool take_leaves(const TranslationColumns& columns, std::size_t row,
                   const LeafGroup& group) const {
    if (!judge_(demands_, group, columns.gpa + row, columns.granted + row)) {
      return false;
    }
    std::fill_n(columns.error_code + row, kGroup, 0u);
    std::fill_n(columns.ended + row, kGroup, std::uint8_t{0});
    std::fill_n(columns.level + row, kGroup, std::uint8_t{1});
    return true;
  }

  // The region's last table, if there is one and the way to it is plain.
  RegionCache::Known learn(std::uint64_t gva, RegionCache& regions) {
    std::uint64_t all = Entry64::kAllRights;
    std::uint64_t entry = rules_.root;
    for (unsigned level = rules_.top_level; level > 1; --level) {
      const std::byte* const table = table_at(entry);
      if (table == nullptr) return RegionCache::Known();
      entry = load(table, gva, level);
      const bool leads = !Entry64::is_last(rules_, entry, level);
      if (!leads || is_reserved(entry, level)) return RegionCache::Known();
      all &= Entry64::rights_of(entry);
    }
    const std::byte* const last = table_at(entry);
    const bool is_plain = (all & kNeeded) == kNeeded && last != nullptr;
    if (!is_plain) return RegionCache::Known();
    return regions.note(gva, last, Entry64::granted(all));
  }

  // `granted`: by the entries above.
  bool finish(const TranslationColumns& columns, std::size_t row,
              std::uint64_t leaf, unsigned granted, unsigned level) const {
    granted &= Entry64::granted(Entry64::rights_of(leaf));
    if ((leaf & leaf_needs_) != leaf_needs_ || is_reserved(leaf, level) ||
        is_refused(leaf, granted)) {
      return false;
    }
    const std::uint64_t offset = bit(kPageShift + 9 * (level - 1)) - 1;
    const std::uint64_t gpa =
        (leaf & Entry64::kFrame & ~offset) | (columns.gva[row] & offset);
    const unsigned clean = (leaf & Entry64::kDirty) != 0 ? 0 : kGrantsWrite;
    // Of 52 bits, so that a signed number does, which processors convert.
    columns.gpa[row] = static_cast<double>(static_cast<std::int64_t>(gpa));
    columns.error_code[row] = 0;
    columns.ended[row] = 0;
    columns.level[row] = static_cast<std::uint8_t>(level);
    columns.granted[row] = static_cast<std::uint8_t>(granted & ~clean);
    return true;
  }

  bool is_refused(std::uint64_t leaf, unsigned granted) const {
    if (!rules_.has_keys) return (forbidden_ >> granted & 1) != 0;
    return refusal(rules_, leaf, granted, access_) != 0;
  }

  const WalkRules rules_;
  const SlotBytes& slots_;
  SlotBytes::View view_{};
  std::uint64_t access_;
  std::uint64_t leaf_needs_ = 0;
  // A bit for each combination of rights that does not do; keys apart.
  unsigned forbidden_ = 0;
  LeafDemands demands_;
  const JudgeLeaves judge_ = leaf_judge();
};

bool may_be_plain(const GuestVcpu& of) {
  return of.rules.format == GuestFormat::k64 && !of.rules.has_pdptrs &&
         of.second_level() == nullptr;
}

}  // namespace

std::optional<Error> translate_batch(Mmu& mmu, unsigned vcpu,
                                     std::uint64_t access,
                                     const TranslationColumns& columns) {
  Result<GuestVcpu*> found = guest_vcpu(mmu, vcpu);
  if (!found) return found.error();
  const GuestVcpu& of = *found.value();
  GuestTables tables(mmu, mmu.guest->memory, static_cast<std::uint16_t>(vcpu));
  GuestWalker walker(tables);
  const auto walk = [&](std::size_t row) {
    put(columns, row,
        walker.walk(of.rules, of.second_level(), columns.gva[row], access));
  };
  if (!may_be_plain(of)) {
    for (std::size_t row = 0; row < columns.count; ++row) walk(row);
    return std::nullopt;
  }
  const SlotBytes slots(mmu, mmu.guest->memory);
  PlainWalks plain(of.rules, slots, access);
  if (columns.count < kFewRows) {
    for (std::size_t row = 0; row < columns.count; ++row) {
      if (!plain.walk(columns, row)) walk(row);
    }
    return std::nullopt;
  }
  plain.walk_groups(columns, walk);
  return std::nullopt;
}

}  // namespace mmu
