// The walk that hardware makes, kept apart from KVM's.
//
// It indexes with every bit of the frame as issued, reads permissions where
// hardware does, and sets Accessed and Dirty. It knows no slot, no strategy
// and no software bit but one: KVM's MMU-present bit stands in for "this entry
// was meant", which no entry that hardware would accept lacks.
#pragma once

#include "core/event.hpp"
#include "core/page_table.hpp"

namespace mmu {

// Where a walk ended.
struct Translation {
  // The last entry, in stored form, which differs from the raw one in bit 63
  // only: no bit that a walk looks at. Null if it is in a compact table and
  // still has to be found there.
  std::uint64_t* entry;
  // The link to the level-1 table; 0 if the walk did not get that far.
  std::uint64_t table;
  Level level;
};

// An entry that is not there. Nobody writes to it: hardware marks only entries
// that allow an access, and KVM asks the tables where to write.
inline constinit std::uint64_t kNowhere = 0;

class HardwareWalk {
 public:
  explicit HardwareWalk(const PageTable& tree)
      : base_(tree.arena()),
        root_(std::uint64_t{tree.root().id} << kPageShift),
        levels_(number_of(tree.root_level())) {}

  // All of a walk but the read of the last entry, which is asked for and not
  // waited for. Three loads, or four, each of which needs the one before. An
  // entry that is not there is stored as zero and leads to page 0, which is
  // empty for ever, so only huge leaves end the walk early and the branches
  // predict well.
  Translation walk_ahead(AliasedGfn gfn) const {
    std::uint64_t word = root_;
    if (levels_ == 5) word = *entry(word, gfn, Level::k256T);
    word = *entry(word, gfn, Level::k512G);
    std::uint64_t* at = entry(word, gfn, Level::k1G);
    if (*at & ept::kHuge) return {at, 0, Level::k1G};
    at = entry(*at, gfn, Level::k2M);
    word = *at;
    if (word & ept::kHuge) return {at, 0, Level::k2M};
    if ((word & link::kCompact) != 0) return {prefetch(word), word, Level::k4K};
    at = entry(word, gfn, Level::k4K);
    __builtin_prefetch(at, 1);
    return {at, word, Level::k4K};
  }

  // The last entry of a walk, whose table may be compact.
  std::uint64_t* last(const Translation& at, AliasedGfn gfn) const {
    return at.entry != nullptr ? at.entry : compact_entry(at.table, gfn);
  }

  // Tables that a walk reads before it ends, on a leaf or on nothing. There is
  // always a root: a vCPU that has none loads one before it runs.
  unsigned depth(AliasedGfn gfn) const {
    std::uint64_t word = root_;
    unsigned depth = 1;
    for (Level level = level_of(levels_); level > Level::k4K;
         level = below(level), ++depth) {
      word = *entry(word, gfn, level);
      if ((word & (ept::kMmuPresent | ept::kHuge)) != ept::kMmuPresent) break;
    }
    return depth;
  }

  static bool allows(std::uint64_t word, std::uint8_t access) {
    const std::uint64_t need = ept::kMmuPresent | access;
    return (word & need) == need;
  }

  // After an access that was allowed. KVM sets both bits when it makes a leaf,
  // so there is rarely anything to write.
  static void mark(std::uint64_t* entry, std::uint64_t word,
                   std::uint8_t access) {
    const std::uint64_t marks = marks_of(access);
    if ((word & marks) != marks) *entry = word | marks;
  }

  // What an entry has that allows the access and that mark() would not change.
  static constexpr std::uint64_t marked_and_allowed(std::uint8_t access) {
    return ept::kMmuPresent | access | marks_of(access);
  }

  // W without R: EPT misconfiguration.
  static bool is_misconfigured(std::uint64_t word) {
    return (word & (ept::kRead | ept::kWrite)) == ept::kWrite;
  }

 private:
  static constexpr std::uint64_t marks_of(std::uint8_t access) {
    constexpr unsigned kFromWriteToDirty = 8;
    static_assert(std::uint64_t{kAccessWrite} << kFromWriteToDirty ==
                  ept::kDirty);
    return ept::kAccessed | std::uint64_t{access & unsigned{kAccessWrite}}
                                << kFromWriteToDirty;
  }
  // A link's page id, already times the granule: one shift and one mask.
  std::uint8_t* page(std::uint64_t word) const {
    constexpr std::uint64_t kMask = std::uint64_t{0xffffffff} << kGranuleShift;
    return base_ + ((word >> (kPageShift - kGranuleShift)) & kMask);
  }
  std::uint64_t* entry(std::uint64_t word, AliasedGfn gfn, Level level) const {
    return reinterpret_cast<FullPage*>(page(word))->entries.data() +
           table_index(gfn, level);
  }
  // Every line of a compact page; which of them is needed only the first says.
  std::uint64_t* prefetch(std::uint64_t word) const {
    for (unsigned line = 0; line < sizeof(CompactPage) / kGranule; ++line) {
      __builtin_prefetch(page(word) + line * kGranule, 1);
    }
    return nullptr;
  }
  std::uint64_t* compact_entry(std::uint64_t word, AliasedGfn gfn) const {
    auto& small = *reinterpret_cast<CompactPage*>(page(word));
    std::uint64_t* found = find_entry(small, table_index(gfn, Level::k4K));
    return found != nullptr ? found : &kNowhere;
  }

  std::uint8_t* base_;
  std::uint64_t root_;
  unsigned levels_;
};

// The same walk's end by way of the directory, of 4K tables. Good until a table
// comes, goes or grows.
class LeafWalk {
 public:
  explicit LeafWalk(const PageTable& tree)
      : base_(tree.arena()),
        leaves_(tree.leaf_tables()),
        tables_read_(static_cast<std::uint8_t>(number_of(tree.root_level()))) {}

  LeafTable table(AliasedGfn gfn) const { return leaves_.at(gfn.value); }
  // Asks for what table() will read.
  [[gnu::always_inline]] void ask_table(AliasedGfn gfn) const {
    leaves_.ask(gfn.value);
  }
  // Where it knows of no full table, an entry that is not there.
  std::uint64_t* entry(AliasedGfn gfn) const {
    return entry(table(gfn).full(), gfn);
  }
  std::uint64_t* entry(PageId full, AliasedGfn gfn) const {
    return reinterpret_cast<FullPage*>(address(full))->entries.data() +
           table_index(gfn, Level::k4K);
  }
  // Null where a compact table lacks it, or there is no table.
  std::uint64_t* any_entry(AliasedGfn gfn) const {
    return any_entry(table(gfn), gfn);
  }
  std::uint64_t* any_entry(LeafTable in, AliasedGfn gfn) const {
    if (in.full() != kNoPage) [[likely]]
      return entry(in.full(), gfn);
    if (in.compact() == kNoPage) return nullptr;
    return find_entry(compact(in.compact()), table_index(gfn, Level::k4K));
  }
  // Asks for every line of a compact table; which is needed only the first
  // says. Inlined by force: GCC drops a call that does nothing else.
  [[gnu::always_inline]] void ask_compact(PageId id) const {
    const std::uint8_t* const at = address(id);
    for (unsigned line = 0; line < sizeof(CompactPage) / kGranule; ++line) {
      __builtin_prefetch(at + line * kGranule, 1);
    }
  }
  CompactPage& compact(PageId id) const {
    return *reinterpret_cast<CompactPage*>(address(id));
  }
  std::uint8_t tables_read() const { return tables_read_; }

 private:
  std::uint8_t* address(std::uint64_t id) const {
    return base_ + (id << kGranuleShift);
  }

  std::uint8_t* base_;
  LeafStretches leaves_;
  std::uint8_t tables_read_;
};

}  // namespace mmu
