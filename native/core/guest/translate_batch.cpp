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
#include "core/guest/refusal.hpp"
#include "core/guest/region_cache.hpp"
#include "core/guest/slot_bytes.hpp"
#include "core/guest/walk.hpp"

namespace mmu {
namespace {

// Fewer rows do not pay for the memory of a cache.
constexpr std::size_t kFewRows = 4096;
// Leaves in flight at once; a core keeps about as many misses.
constexpr std::size_t kGroup = 32;

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
  }

  // Rows [row, row + rows), with what is known of their regions. Calls
  // other(row), in order, for each that is none of the plain ones.
  template <class Other>
  void walk_group(const TranslationColumns& columns, std::size_t row,
                  std::size_t rows, RegionCache& regions, Other other) {
    std::array<RegionCache::Known, kGroup> known;
    for (std::size_t i = 0; i < rows; ++i) {
      const std::uint64_t gva = columns.gva[row + i];
      known[i] = regions.find(gva);
      __builtin_prefetch(known[i].table() + offset_of(gva, 1));
    }
    for (std::size_t i = 0; i < rows; ++i) {
      const bool done = known[i] ? take_leaf(columns, row + i, known[i])
                                 : walk_all(columns, row + i, &regions);
      if (!done) other(row + i);
    }
  }
  // False: the row is none of the plain ones, and nothing was done.
  bool walk(const TranslationColumns& columns, std::size_t row) {
    return walk_all(columns, row, nullptr);
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

  bool walk_all(const TranslationColumns& columns, std::size_t row,
                RegionCache* regions) {
    const std::uint64_t gva = columns.gva[row];
    std::uint64_t all = Entry64::kAllRights;
    std::uint64_t entry = rules_.root;
    for (unsigned level = rules_.top_level;; --level) {
      const std::byte* const table = table_at(entry);
      if (table == nullptr) return false;
      entry = load(table, gva, level);
      if (Entry64::is_last(rules_, entry, level)) {
        if ((all & kNeeded) != kNeeded) return false;
        const unsigned granted = Entry64::granted(all);
        if (level == 1 && regions != nullptr) {
          regions->note(gva, table, granted);
        }
        return finish(columns, row, entry, granted, level);
      }
      if (is_reserved(entry, level)) return false;
      all &= Entry64::rights_of(entry);
    }
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
  RegionCache regions;
  for (std::size_t row = 0; row < columns.count; row += kGroup) {
    plain.walk_group(columns, row, std::min(kGroup, columns.count - row),
                     regions, walk);
  }
  return std::nullopt;
}

}  // namespace mmu
