#include "core/structure_cache.hpp"

#include <array>
#include <optional>

#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

// Serial numbers of the tables on the way to a frame, by the level of the table
// that has the link; 0 where there is no link.
using Links = std::array<std::uint32_t, 6>;

Links links_of(const PageTable& tree, const PagePool& pool, AliasedGfn issued) {
  Links links{};
  if (!tree.has_root()) return links;
  TableRef table = tree.root();
  for (Level level = tree.root_level(); level > Level::k4K;) {
    const Spte spte = tree.get(table, table_index(issued, level));
    if (!spte.is_link(level)) break;
    table = link::table(spte, below(level));
    links[number_of(level)] = pool.header(table.id).serial;
    level = table.level;
  }
  return links;
}

// The link of an entry: which table it leads to, and how many links had gone
// when it was last seen there, so that mostly nobody has to look again.
Pfn noted(const Mmu& mmu, std::uint32_t serial) {
  return {serial | std::uint64_t{mmu.accounts.links_gone} << 32};
}
bool is_surely_there(const Mmu& mmu, const TlbEntry& entry) {
  return entry.pfn.value >> 32 == mmu.accounts.links_gone;
}

std::uint8_t root_of(const Mmu& mmu, const Access& access) {
  return static_cast<std::uint8_t>(mmu.alias.root_of(access.issued));
}

// Calls act(entry, level) for what is kept of the address, the lowest first,
// until it returns true.
template <class Act>
void for_each_kept(Mmu& mmu, const Access& access, Act act) {
  Tlb& tlb = (*mmu.tlbs)[access.vcpu];
  const std::uint8_t root = root_of(mmu, access);
  const std::uint32_t incarnation = mmu.incarnations[root];
  const Level top = level_of(mmu.config.root_level);
  for (Level level = Level::k2M; level <= top; level = above(level)) {
    TlbEntry* entry =
        tlb.lookup(link_kind(level), root, incarnation, access.issued);
    if (entry != nullptr && act(tlb, *entry, level)) return;
  }
}

}  // namespace

unsigned tables_skipped(Mmu& mmu, const Access& access) {
  unsigned skipped = 0;
  for_each_kept(mmu, access, [&](Tlb& tlb, TlbEntry& entry, Level level) {
    if (tlb.settle(entry, access.issued) && mmu.rules != nullptr) {
      mmu.rules->strayed({access, level});
    }
    if (!is_link_there(mmu, entry)) {
      tlb.remove(entry);
      return false;
    }
    entry.pfn = noted(mmu, table_of(entry));
    tlb.touch(entry);
    skipped = mmu.config.root_level - number_of(level) + 1;
    return true;
  });
  return skipped;
}

void keep_links(Mmu& mmu, const Access& access, Level leaf, unsigned skipped) {
  Tlb& tlb = (*mmu.tlbs)[access.vcpu];
  const std::uint8_t root = root_of(mmu, access);
  const PageTable& tree = mmu.trees[root];
  std::optional<Links> links;
  Level level = level_of(mmu.config.root_level - skipped);
  for (; level > leaf; level = below(level)) {
    if (!tlb.keeps_links(level)) continue;
    TlbEntry* kept = tlb.lookup(link_kind(level), root, mmu.incarnations[root],
                                access.issued);
    if (kept != nullptr && !kept->overdue && is_surely_there(mmu, *kept)) {
      tlb.touch(*kept);
      continue;
    }
    if (!links) links = links_of(tree, mmu.pool, access.issued);
    tlb.insert({.gfn = round_down(access.issued, level),
                .pfn = noted(mmu, (*links)[number_of(level)]),
                .incarnation = mmu.incarnations[root],
                .root = root,
                .level = static_cast<std::uint8_t>(level),
                .kind = link_kind(level)});
  }
}

void drop_links(Mmu& mmu, const Access& access) {
  for_each_kept(mmu, access, [](Tlb& tlb, TlbEntry& entry, Level) {
    tlb.remove(entry);
    return false;
  });
}

std::uint32_t table_of(const TlbEntry& entry) {
  return static_cast<std::uint32_t>(entry.pfn.value);
}

bool is_link_there(const Mmu& mmu, const TlbEntry& entry) {
  if (is_surely_there(mmu, entry)) return true;
  const Links links = links_of(mmu.trees[entry.root], mmu.pool, entry.gfn);
  return links[entry.level] == table_of(entry);
}

}  // namespace mmu
