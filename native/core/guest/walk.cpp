#include "core/guest/walk.hpp"

#include <array>

#include "core/guest/entry_format.hpp"
#include "core/guest/refusal.hpp"
#include "core/pferr.hpp"

namespace mmu {
namespace {

using Ended = GuestTranslation::Ended;

constexpr unsigned kMostLevels = 5;
constexpr std::uint64_t kNoAddress = ~std::uint64_t{0};
constexpr std::uint64_t kReservedAndPresent =
    pferr::kReserved | pferr::kPresent;

template <class Format>
constexpr unsigned shift_of(unsigned level) {
  return kPageShift + Format::kIndexBits * (level - 1);
}

template <class Format>
constexpr std::uint64_t entry_offset(std::uint64_t address, unsigned level) {
  const std::uint64_t index =
      address >> shift_of<Format>(level) & (bit(Format::kIndexBits) - 1);
  return index * sizeof(typename Format::Word);
}

template <class Format>
bool is_reserved(const WalkRules& rules, typename Format::Word entry,
                 unsigned level) {
  const unsigned is_large = (entry & bit(7)) != 0 ? 1 : 0;
  return (entry & rules.reserved[is_large][level]) != 0 ||
         Format::is_malformed(rules, entry);
}

GuestTranslation fault_of(const WalkRules& rules, std::uint64_t address,
                          std::uint64_t access, std::uint64_t why,
                          std::uint64_t granted_rwx) {
  std::uint64_t asked = access & (pferr::kWrite | pferr::kUser);
  if (rules.tells_fetch) asked |= access & pferr::kFetch;
  const bool by_ept = rules.format == GuestFormat::kEpt;
  std::uint64_t qualification = 0;
  // A misconfiguration's exit has none.
  if (by_ept && (why & pferr::kReserved) == 0) {
    if ((access & pferr::kUser) != 0) qualification |= qualification::kRead;
    if ((access & pferr::kWrite) != 0) qualification |= qualification::kWrite;
    if ((access & pferr::kFetch) != 0) qualification |= qualification::kFetch;
    qualification |= granted_rwx << 3;
  }
  return {.ended = Ended::kFault,
          .granted = 0,
          .fault = {.error_code = why | asked,
                    .address = address,
                    .qualification = qualification}};
}

}  // namespace

// The entries that were read, and how far they led.
template <class Format>
struct GuestWalker::Way {
  using Word = typename Format::Word;
  struct Step {
    std::uint64_t gpa;
    Word entry;
    // Of its table, as the pointer to it says.
    Gfn named;
  };

  Word leaf() const { return steps[count - 1].entry; }

  std::array<Step, kMostLevels> steps{};
  unsigned count = 0;
  std::uint8_t level = 0;
  Word rights = Format::kAllRights;
  // Set where it ends early.
  bool failed = false;
  std::uint64_t why = 0;
  // What a second level said of a table.
  bool nested = false;
  GuestFault fault{};
};

GuestTranslation GuestWalker::through(const WalkRules* second,
                                      std::uint64_t gpa, std::uint64_t access) {
  is_beneath_ = true;
  GuestTranslation found = walk(*second, nullptr, gpa, access | pferr::kUser);
  is_beneath_ = false;
  found.fault.nested = true;
  return found;
}

template <class Format>
GuestWalker::Way<Format> GuestWalker::descend(const WalkRules& rules,
                                              std::uint64_t root,
                                              const WalkRules* second,
                                              std::uint64_t address) {
  using Word = typename Format::Word;
  // A table of the guest's is one to write to, where its marks are kept.
  const std::uint64_t table_access = rules.keeps_ad ? pferr::kWrite : 0;
  Way<Format> way;
  way.failed = true;
  std::uint64_t pointer = root;
  for (unsigned level = rules.top_level;; --level) {
    std::uint64_t table = pointer & Format::kFrame & ~rules.stolen;
    const Gfn named{table >> kPageShift};
    if (second != nullptr) {
      const GuestTranslation at = through(second, table, table_access);
      if (at.ended != Ended::kMapped) {
        way.nested = true;
        way.fault = at.fault;
        return way;
      }
      table = at.gpa;
    }
    const std::uint64_t gpa = table + entry_offset<Format>(address, level);
    const std::optional<Word> read = tables_.read<Word>(gpa);
    if (!read) return way;
    const Word entry = *read;
    if (trail_ != nullptr) {
      trail_->push_back(
          {gpa, entry, static_cast<std::uint8_t>(level), is_beneath_});
    }
    way.rights &= Format::rights_of(entry);
    if (!Format::is_present(entry)) return way;
    if (is_reserved<Format>(rules, entry, level)) {
      way.why = kReservedAndPresent;
      return way;
    }
    way.steps[way.count++] = {gpa, entry, named};
    way.level = static_cast<std::uint8_t>(level);
    way.failed = !Format::is_last(rules, entry, level);
    if (!way.failed) return way;
    pointer = entry;
  }
}

// From the top down. What was written before a failure stays written.
template <class Format>
Exchange GuestWalker::mark_used(const Way<Format>& way, std::uint64_t access) {
  using Word = typename Format::Word;
  for (unsigned i = 0; i < way.count; ++i) {
    const auto& [gpa, entry, named] = way.steps[i];
    const bool dirties = i + 1 == way.count && (access & pferr::kWrite) != 0;
    const Word marks = Format::kAccessed | (dirties ? Format::kDirty : Word{0});
    if ((entry & marks) == marks) continue;
    const Exchange outcome =
        tables_.exchange<Word>(gpa, entry, entry | marks, named);
    if (outcome == Exchange::kChanged || outcome == Exchange::kNoAccess) {
      return outcome;
    }
  }
  return Exchange::kDone;
}

template <class Format>
GuestTranslation GuestWalker::walk_tables(const WalkRules& rules,
                                          std::uint64_t root,
                                          const WalkRules* second,
                                          std::uint64_t address,
                                          std::uint64_t access) {
  for (;;) {
    const Way<Format> way = descend<Format>(rules, root, second, address);
    const std::uint64_t rwx = Format::granted_rwx(way.rights);
    if (way.nested) {
      return {.ended = Ended::kFault, .granted = 0, .fault = way.fault};
    }
    if (way.failed) return fault_of(rules, address, access, way.why, rwx);
    const auto leaf = way.leaf();
    const unsigned level = way.level;
    unsigned granted = Format::granted(way.rights);
    if (const auto why = refusal(rules, leaf, granted, access); why != 0) {
      return fault_of(rules, address, access, why, rwx);
    }
    const std::uint64_t offset = bit(shift_of<Format>(level)) - 1;
    std::uint64_t gpa = (leaf & Format::kFrame & ~offset) |
                        Format::high_bits(leaf, level) | (address & offset);
    if (second != nullptr) {
      const std::uint64_t in_page = gpa % kPageSize;
      const GuestTranslation at = through(second, gpa - in_page, access);
      if (at.ended != Ended::kMapped) return at;
      gpa = at.gpa + in_page;
    }
    if (rules.keeps_ad) {
      const bool is_seen =
          (access & pferr::kWrite) != 0 || (leaf & Format::kDirty) != 0;
      if (!is_seen) granted &= ~kGrantsWrite;
      const Exchange marked = mark_used<Format>(way, access);
      if (marked == Exchange::kChanged) continue;
      if (marked == Exchange::kNoAccess) {
        return fault_of(rules, address, access, 0, rwx);
      }
    }
    return {.level = static_cast<std::uint8_t>(level),
            .granted = static_cast<std::uint8_t>(granted),
            .gpa = gpa};
  }
}

GuestTranslation GuestWalker::walk(const WalkRules& rules,
                                   const WalkRules* second,
                                   std::uint64_t address,
                                   std::uint64_t access) {
  if (rules.format == GuestFormat::k32) {
    return walk_tables<Entry32>(rules, rules.root, second, address, access);
  }
  if (rules.format == GuestFormat::kEpt) {
    return walk_tables<EntryEpt>(rules, rules.root, second, address, access);
  }
  if (rules.format == GuestFormat::k64) {
    const std::uint64_t root =
        rules.has_pdptrs ? rules.pdptrs[address >> 30 & 3] : rules.root;
    if (rules.has_pdptrs && (root & 1) == 0) {
      return fault_of(rules, address, access, 0, 0);
    }
    return walk_tables<Entry64>(rules, root, second, address, access);
  }
  if (second != nullptr) {
    const GuestTranslation at = through(second, address, access);
    if (at.ended != Ended::kMapped) return at;
    return {.gpa = at.gpa};
  }
  if (address == kNoAddress) return {.ended = Ended::kNoAddress};
  return {.gpa = address};
}

}  // namespace mmu
