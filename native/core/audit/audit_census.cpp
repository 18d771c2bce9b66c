#include "core/audit/audit_census.hpp"

namespace mmu {

Census::Census(const Mmu& mmu) : mmu_(mmu), uses_(mmu.pool.used()) {
  const auto books = mmu.ops->books();
  claim({kNoPage, Level::kNone, false}, Use::kFreeHead, Use::kFreeBody);
  find_freed();
  if (books) find_hashed(*books);
  for (const RootId root : {RootId::kDirect, RootId::kPrivate}) {
    take_tree(root, books.has_value());
  }
  // By number: the list grows where tables are found by their links.
  for (std::size_t i = 0; books && i < tables.size(); ++i) {
    take_links(tables[i], false);
  }
  find_lost();
}

void Census::find_freed() {
  for (const bool compact : {false, true}) {
    mmu_.pool.for_each_free(compact, [&](PageId id) {
      const TableRef page{id, Level::kNone, compact};
      if (!fits(page)) return;
      freed.push_back(page);
      claim(page, Use::kFreeHead, Use::kFreeBody);
    });
  }
}

void Census::find_hashed(const ShadowBooks& books) {
  books.hash.for_each([&](const ShadowKey& key, PageId id) {
    const TableRef table{id, key.level, false};
    if (!fits(table)) return overlapping.push_back(id);
    tables.push_back({table, static_cast<RootId>(key.root), key.gfn, {}});
    claim(table, Use::kHead, Use::kBody);
  });
}

void Census::take_tree(RootId root, bool is_hashed) {
  const PageTable& tree = mmu_.tree(root);
  if (!tree.has_root()) return;
  LinkSeen link{{{}, above(tree.root_level()), root, {0}, {}}, tree.root()};
  link.to.level = tree.root_level();
  link.end = end_of(link.to, is_hashed);
  take_link(link, !is_hashed);
}

void Census::take_link(const LinkSeen& link, bool descends) {
  links.push_back(link);
  if (!descends || link.end != LinkEnd::kTable) return;
  claim(link.to, Use::kHead, Use::kBody);
  const EntrySeen& entry = link.entry;
  tables.push_back({link.to, entry.root, entry.first, link});
  take_links(TableSeen(tables.back()), true);
}

// What is below them is theirs to say; 4K tables have no links.
void Census::take_links(const TableSeen& table, bool descends) {
  const Level level = table.table.level;
  if (level == Level::k4K) return;
  const TableSeen own = table;
  for_each_word(mmu_.pool, own.table, [&](unsigned index, Spte spte) {
    if (!spte.is_link(level)) return;
    const TableRef to = link::table(spte, below(level));
    take_link({entry_of(own, index, spte), to, end_of(to, !descends)},
              descends);
  });
}

bool Census::fits(TableRef table) const {
  return table.id != kNoPage && table.id < uses_.size() &&
         uses_.size() - table.id >= granules_of(table);
}

LinkEnd Census::end_of(TableRef to, bool is_hashed) const {
  if (!fits(to)) return LinkEnd::kOutside;
  const Use use = uses_[to.id];
  if (use == Use::kFreeHead || use == Use::kFreeBody) return LinkEnd::kFreed;
  if (use == Use::kBody) return LinkEnd::kMidPage;
  if (is_hashed && use == Use::kNone) return LinkEnd::kNotHashed;
  if (!is_hashed && use == Use::kHead) return LinkEnd::kTwice;
  const bool may_be_compact = to.level == Level::k4K && !is_hashed;
  const bool fits_level = mmu_.pool.header(to.id).level == to.level;
  if (!fits_level || (to.compact && !may_be_compact)) {
    return LinkEnd::kWrongLevel;
  }
  for (std::uint64_t i = 1; i < granules_of(to); ++i) {
    const Use body = uses_[to.id + i];
    if (body == Use::kFreeHead || body == Use::kFreeBody) {
      return LinkEnd::kFreed;
    }
    if (body == Use::kHead) return LinkEnd::kMidPage;
  }
  return LinkEnd::kTable;
}

void Census::claim(TableRef table, Use head, Use body) {
  bool taken = false;
  for (std::uint64_t i = 0; i < granules_of(table); ++i) {
    Use& use = uses_[table.id + i];
    taken |= use != Use::kNone;
    use = i == 0 ? head : body;
  }
  if (taken) overlapping.push_back(table.id);
}

void Census::find_lost() {
  for (std::uint64_t i = 0; i < uses_.size(); ++i) {
    if (uses_[i] != Use::kNone) continue;
    const auto first = static_cast<PageId>(i);
    while (i < uses_.size() && uses_[i] == Use::kNone) ++i;
    lost.push_back({first, i - first});
  }
}

}  // namespace mmu
