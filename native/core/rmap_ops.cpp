#include "core/rmap_ops.hpp"

#include <algorithm>

#include "core/cached_rights.hpp"
#include "core/reach.hpp"
#include "core/tracepoints/tracer.hpp"
#include "core/tree_digest.hpp"

namespace mmu {
namespace {

// Pages that one fault can make at worst: a root and a table for each level.
constexpr unsigned kMostPages = 6;
// Leaves that it can make: its own, and those it prefetches.
constexpr unsigned kMostLeaves = kPrefetch;

bool is_member(Spte spte, Level level) {
  return spte.is_leaf(level) || (level == Level::k4K && spte.is_blocked());
}

GfnRange common(GfnRange a, GfnRange b) {
  return {std::max(a.start, b.start), std::min(a.end, b.end)};
}

}  // namespace

// Entries change under a promise not to fail, so all lists get room first.
bool RmapOps::ensure_room(const Fault& fault) {
  // A prefetch may reach every slot of the group around the fault.
  Gfn gfn{fault.gfn.value & ~std::uint64_t{kPrefetch - 1}};
  const Gfn end{gfn.value + kPrefetch};
  while (gfn < end) {
    Memslot* slot = mmu_.slots().find(gfn);
    if (slot != nullptr) slot->rmap->reserve(kMostLeaves);
    gfn.value = slot != nullptr ? slot->range.end.value : gfn.value + 1;
  }
  hash_.reserve(kMostPages);
  parents_.reserve(kMostPages);
  return mmu_.pool.ensure(kMostPages, 0);
}

AliasedGfn RmapOps::frame_of(TableRef table, unsigned index) const {
  return {mmu_.pool.header(table.id).gfn.value +
          index * pages_per(table.level)};
}

void RmapOps::changed(TableRef table, unsigned index, Spte old,
                      Spte now) noexcept {
  const SpteRef here{table.id, static_cast<std::uint16_t>(index)};
  if (old.is_link(table.level)) {
    parents_.remove(link::page_id(old.raw), here);
  }
  if (now.is_link(table.level)) parents_.add(link::page_id(now.raw), here);
  const bool was = is_member(old, table.level);
  const bool is = is_member(now, table.level);
  // What takes the place of another page's entry is on a list of its own.
  const bool stays = was && is && old.pfn() == now.pfn();
  if (stays || (!was && !is)) return;
  const Gfn gfn = mmu_.alias.slot_gfn(frame_of(table, index));
  Memslot* slot = mmu_.slots().find(gfn);
  // Whatever outlived its slot is in no list.
  if (slot == nullptr || slot->rmap == nullptr) return;
  const std::uint64_t list = slot->rmap->index_of(gfn, table.level);
  if (was) slot->rmap->remove(table.level, list, here);
  if (!is) return;
  rmap_before_ = slot->rmap->add(table.level, list, here);
  std::uint64_t& longest = mmu_.stats.max_mmu_rmap_size;
  longest = std::max(longest, rmap_before_);
}

RmapOps::Leaf RmapOps::leaf_at(Level level, SpteRef ref) const {
  const TableRef table{ref.table, level, false};
  const auto root = static_cast<RootId>(mmu_.pool.header(ref.table).root);
  const AliasedGfn first = frame_of(table, ref.index);
  return {table,
          ref.index,
          mmu_.tree(root).get(table, ref.index),
          root,
          {first, {first.value + pages_per(level)}}};
}

bool RmapOps::is_private(const Leaf& leaf) const {
  return mmu_.is_private(leaf.root, leaf.spte);
}

void RmapOps::set(Leaf& leaf, Spte now) {
  mmu_.tree(leaf.root).set_spte(leaf.table, leaf.index, now);
  leaf.spte = now;
}

// As set(), of a present leaf that will grant less, or that grants less than
// may be cached of it.
void RmapOps::take(Leaf& leaf, Spte now) {
  if (leaf.spte == now && !may_be_cached_with_more(leaf.spte)) return;
  set(leaf, now);
  mmu_.flush.took(mmu_.alias.space().alias_of(leaf.frames.start), leaf.frames);
}

template <class Act>
void RmapOps::for_each_in_slots(GfnRange range, Act act) {
  for (const auto& slot : mmu_.slots().slots()) {
    const GfnRange frames = common(slot->range, range);
    if (frames.empty()) continue;
    for (const Level level : kLeafLevels) for_each(*slot, level, frames, act);
  }
}

// Every 4K member of one frame.
template <class Act>
void RmapOps::for_each_at(Gfn gfn, Act act) {
  const Memslot* slot = mmu_.slots().find(gfn);
  if (slot != nullptr) for_each(*slot, Level::k4K, {gfn, {gfn.value + 1}}, act);
}

// Private leaves of the 2020 patches go by way of being blocked. True if the
// leaf was present.
bool RmapOps::zap_leaf(ZapCause cause, Leaf& leaf) {
  if (!Alias::acts_on(cause, leaf.root)) return false;
  if (leaf.spte.is_blocked()) {
    set(leaf, Spte{});
    return false;
  }
  const bool blocks =
      leaf.root == RootId::kPrivate && mmu_.traits.private_is_host_memory;
  if (blocks) take(leaf, make_blocked(leaf.spte.pfn()));
  take(leaf, Spte{});
  return true;
}

bool RmapOps::zap(ZapCause cause, GfnRange range) {
  bool any = false;
  for_each_in_slots(range, [&](Leaf& leaf) { any |= zap_leaf(cause, leaf); });
  return any;
}

bool RmapOps::invalidate_host(GfnRange range) {
  bool any = zap(ZapCause::kHost, range);
  if (!mmu_.traits.private_is_host_memory) return any;
  for_each_in_slots(range, [&](Leaf& leaf) {
    if (leaf.root != RootId::kPrivate || !leaf.spte.is_present()) return;
    take(leaf, make_blocked(leaf.spte.pfn()));
    any = true;
  });
  return any;
}

// KVM: kvm_rmap_age_gfn_range().
bool RmapOps::age(GfnRange range, bool clear) {
  bool young = false;
  for_each_in_slots(range, [&](Leaf& leaf) {
    const bool is_hosts = Alias::acts_on(ZapCause::kHost, leaf.root) ||
                          mmu_.traits.private_is_host_memory;
    if (!is_hosts || !leaf.spte.is_present()) return;
    if (!leaf.spte.has(ept::kAccessed)) return;
    young = true;
    if (clear) set(leaf, mark_unused(leaf.spte));
  });
  return young;
}

// If the other alias has a table at the last level, its entry present or not:
// everything in the frame's reverse map goes, and what was blocked before is
// passed over. TDX RFC v1 41/67, as posted.
void RmapOps::zap_other_alias(const Fault& fault) {
  const GfnRange page{fault.canonical, {fault.canonical.value + 1}};
  const View* other = nullptr;
  const Views views = mmu_.alias.every_view(page);
  for (const View& view : views) {
    if (view.root != fault.root) other = &view;
  }
  const PageTable& tree = mmu_.tree(other->root);
  if (!tree.has_root()) return;
  if (tree.find_table(other->range.start, Level::k4K).id == kNoPage) return;
  bool any = false;
  for_each_at(fault.gfn, [&](Leaf& leaf) {
    if (leaf.spte.is_blocked()) return;
    const bool blocks = leaf.root == RootId::kPrivate;
    take(leaf, blocks ? make_blocked(leaf.spte.pfn()) : Spte{});
    any = true;
  });
  if (!any) return;
  mmu_.flush.range(page);
  if (other->root != RootId::kPrivate) return;
  for_each_at(fault.gfn, [&](Leaf& leaf) {
    if (leaf.spte.is_blocked()) set(leaf, Spte{});
  });
}

// The commit of a list of zapped pages is one full flush; a root that vCPUs
// still have loaded is not on that list.
// KVM: kvm_zap_obsolete_pages(), kvm_mmu_commit_zap_page().
void RmapOps::zap_all_fast() {
  constexpr auto kRoot = static_cast<std::uint8_t>(RootId::kDirect);
  if (mmu_.trace) mmu_.trace->zap_all_fast();
  std::uint64_t pages = 0;
  hash_.remove_root(kRoot, [&](const ShadowKey& key, PageId id) {
    ++pages;
    free_page(key, id);
  });
  mmu_.stats.mmu_shadow_zapped += pages;
  mmu_.tree(RootId::kDirect).adopt_root({});
  ++mmu_.incarnation(RootId::kDirect);
  const bool freed = roots_ && roots_->zap_all();
  if (pages > 1 || freed) mmu_.flush.all();
}

// Its children lose a parent and stay in the hash.
void RmapOps::zap_table(PageId page) {
  const PageHeader header = mmu_.pool.header(page);
  TableRef table{page, header.level, false};
  if (mmu_.trace) mmu_.trace->prepare_zap_page(table);
  PageTable& tree = mmu_.tree(static_cast<RootId>(header.root));
  for (unsigned i = tree.next_used(table, 0, kEntries); i < kEntries;
       i = tree.next_used(table, i + 1, kEntries)) {
    if (tree.get(table, i).is_leaf(table.level)) {
      const AliasedGfn first = frame_of(table, i);
      mmu_.flush.took(mmu_.alias.space().alias_of(first),
                      {first, {first.value + pages_per(table.level)}});
    }
    tree.set_spte(table, i, Spte{});
  }
  parents_.for_each(page, [&](SpteRef parent) {
    TableRef from{parent.table, above(table.level), false};
    tree.set_spte(from, parent.index, Spte{});
  });
  hash_.remove({header.gfn, header.level, header.root});
  active_.remove(page);
  tree.free_unlinked(table, [](unsigned, Spte) {});
  ++mmu_.stats.mmu_shadow_zapped;
}

void RmapOps::free_page(const ShadowKey& key, PageId id) {
  const TableRef table{id, key.level, false};
  if (mmu_.trace) mmu_.trace->prepare_zap_page(table);
  parents_.clear(id);
  active_.remove(id);
  mmu_.tree(RootId::kDirect)
      .free_unlinked(table, [&](unsigned index, Spte spte) {
        const bool counts = spte.is_leaf(table.level) || spte.is_mmio();
        mmu_.accounts.changed += counts;
        if (!spte.is_link(table.level)) changed(table, index, spte, Spte{});
      });
}

std::uint64_t RmapOps::rmap_count(Gfn gfn) const {
  const Memslot* slot = mmu_.slots().find(gfn);
  if (slot == nullptr || slot->rmap == nullptr) return 0;
  std::uint64_t count = 0;
  for (const Level level : kLeafLevels) {
    count += slot->rmap->count(level, slot->rmap->index_of(gfn, level));
  }
  return count;
}

void RmapOps::append_tables(std::vector<TableView>& tables) const {
  hash_.for_each([&](const ShadowKey& key, PageId id) {
    tables.push_back({.gpa = gpa_of(key.gfn).value,
                      .parents = parents_.count(id),
                      .level = static_cast<std::uint8_t>(key.level),
                      .root = key.root});
  });
}

// By key, so that neither the order in which pages were made nor who reaches
// them has a say.
void RmapOps::add_tables(Digest& digest) const {
  std::vector<Fingerprint> pages;
  hash_.for_each([&](const ShadowKey& key, PageId id) {
    Digest page;
    add_key(page, mmu_, id);
    add_page(page, mmu_, id);
    const TableRef table{id, key.level, false};
    const PageTable& tree = mmu_.tree(RootId::kDirect);
    for (unsigned i = tree.next_used(table, 0, kEntries); i < kEntries;
         i = tree.next_used(table, i + 1, kEntries)) {
      const Spte spte = tree.get(table, i);
      page.add(i);
      if (spte.is_link(key.level)) {
        add_key(page, mmu_, link::page_id(spte.raw));
      } else {
        add_entry(page, mmu_, spte);
      }
    }
    pages.push_back(page.value());
  });
  add_unordered(digest, pages);
  if (roots_) roots_->add_pages(digest);
}

std::unique_ptr<FlavourOps> make_rmap_ops(Mmu& mmu, ParentLists& parents,
                                          PageQueue& active) {
  return std::make_unique<RmapOps>(mmu, std::move(parents), std::move(active));
}

}  // namespace mmu
