// Every table page of a VM and every entry in it, found anew.
//
// Checks compare this with what the engine keeps books of. It is taken from
// the words in the arena alone: in flavour tdp from the roots down, in flavour
// rmap shadow page by shadow page, as one that lost its parents is in use too.
// A link is followed only where it leads to a table, so that whatever is wrong
// with an arena, nothing outside it is read.
#pragma once

#include <vector>

#include "core/flavour.hpp"
#include "core/spte_ref_lists.hpp"

namespace mmu {

// Where a link leads.
enum class LinkEnd : std::uint8_t {
  kTable,       // as it should
  kOutside,     // to no page that was ever made
  kMidPage,     // into the middle of one
  kFreed,       // to a page that was given back
  kWrongLevel,  // to a table of another level
  kTwice,       // tdp: to a table that another link leads to
  kNotHashed,   // rmap: to a page that the hash does not hold
};

// An entry that is not empty.
struct EntrySeen {
  SpteRef at;
  Level level = Level::kNone;
  RootId root = RootId::kDirect;
  AliasedGfn first;  // the first frame that it covers
  Spte spte;
};

struct LinkSeen {
  EntrySeen entry;  // of a root: no table
  TableRef to;
  LinkEnd end = LinkEnd::kTable;
};

struct TableSeen {
  TableRef table;
  RootId root = RootId::kDirect;
  AliasedGfn base;
  LinkSeen from;  // tdp
};

// Granules of the arena from `first` on.
struct GranuleRun {
  PageId first = kNoPage;
  std::uint64_t count = 0;
};

struct Census {
  explicit Census(const Mmu& mmu);

  std::vector<TableSeen> tables;
  std::vector<LinkSeen> links;  // the roots' too
  std::vector<TableRef> freed;  // of no level
  // Pages that are in use or free twice, and granules that are neither.
  std::vector<PageId> overlapping;
  std::vector<GranuleRun> lost;

  // Calls visit(EntrySeen) for all entries but links, table by table. They are
  // read anew each time: a list would be many times as large as the tables.
  template <class Visit>
  void for_each_entry(Visit visit) const;

 private:
  enum class Use : std::uint8_t { kNone, kHead, kBody, kFreeHead, kFreeBody };

  void find_freed();
  void find_hashed(const ShadowBooks& books);
  void take_tree(RootId root, bool is_hashed);
  void take_links(const TableSeen& table, bool descends);
  void take_link(const LinkSeen& link, bool descends);
  void find_lost();

  LinkEnd end_of(TableRef to, bool is_hashed) const;
  bool fits(TableRef table) const;
  void claim(TableRef table, Use head, Use body);

  const Mmu& mmu_;
  std::vector<Use> uses_;  // by granule
};

// The granules of a page.
constexpr std::uint64_t granules_of(TableRef table) {
  return (table.compact ? sizeof(CompactPage) : sizeof(FullPage)) / kGranule;
}

// Calls visit(index, spte) for the words of a page that say something, as they
// lie there.
template <class Visit>
void for_each_word(const PagePool& pool, TableRef table, Visit visit) {
  if (!table.compact) {
    const FullPage& page = pool.full(table.id);
    for (unsigned i = 0; i < kEntries; ++i) {
      if (page.entries[i] != 0) visit(i, from_stored(page.entries[i]));
    }
    return;
  }
  const CompactPage& page = pool.compact(table.id);
  for (unsigned slot = 0; slot < kCompactSlots; ++slot) {
    if (page.keys[slot] >= kEntries || page.entries[slot] == 0) continue;
    visit(unsigned{page.keys[slot]}, from_stored(page.entries[slot]));
  }
}

// Whose entry it is, and what it covers.
inline EntrySeen entry_of(const TableSeen& table, unsigned index, Spte spte) {
  const Level level = table.table.level;
  return {{table.table.id, static_cast<std::uint16_t>(index)},
          level,
          table.root,
          {table.base.value + index * pages_per(level)},
          spte};
}

template <class Visit>
void Census::for_each_entry(Visit visit) const {
  for (const TableSeen& table : tables) {
    for_each_word(mmu_.pool, table.table, [&](unsigned index, Spte spte) {
      if (!spte.is_link(table.table.level)) visit(entry_of(table, index, spte));
    });
  }
}

}  // namespace mmu
