// How the legacy MMU answers a fault. KVM: direct_map(), mmu_set_spte(),
// direct_pte_prefetch() (v6.16).
#include "core/host_ops.hpp"
#include "core/nx_huge_pages.hpp"
#include "core/reach.hpp"
#include "core/rmap_ops.hpp"
#include "core/tracepoints/tracer.hpp"

namespace mmu {
namespace {

// To a page further on, or back. Which table and which rights stay.
void advance(Fault& fault, std::uint64_t pages) {
  fault.issued.value += pages;
  fault.walk_gfn.value += pages;
  fault.gfn.value += pages;
  fault.canonical.value += pages;
}

}  // namespace

OutcomeCode RmapOps::map(Fault& fault, Memslot* slot) {
  if (!make_pages_available()) return OutcomeCode::kError;
  if (slot != nullptr) fault.req_level = goal_of(mmu_, fault, *slot);
  const Level goal = nx_goal(mmu_, fault);
  if (mmu_.trace) {
    const Pfn pfn = slot == nullptr ? tracepoint::kNoSlotPfn
                                    : pfn_for(mmu_, fault, Level::k4K);
    mmu_.trace->spte_requested(fault, pfn, requested_level(fault));
  }
  TableRef table = descend(fault, goal);
  OutcomeCode code = OutcomeCode::kEmulate;
  if (slot == nullptr) {
    map_mmio(fault, table);
  } else {
    code = map_leaf(fault, *slot, table);
  }
  // Ageing cannot tell a prefetched leaf where nobody keeps Accessed, and no
  // neighbour is asked whether the host is about to take it.
  const bool more =
      code != OutcomeCode::kSpurious && code != OutcomeCode::kUnzapped &&
      !mmu_.entry_rules.ad_disabled() && !mmu_.invalidations.is_open();
  if (more && table.level == Level::k4K && !fault.is_private)
    prefetch(fault, table);
  return code;
}

TableRef RmapOps::descend(const Fault& fault, Level goal) {
  PageTable& tree = mmu_.tree(fault.root);
  TableRef table = tree.root();
  const bool looks = mmu_.entry_rules.nx_huge_pages;
  while (true) {
    const unsigned index = table_index(fault.walk_gfn, table.level);
    // One that an alias made, and that no walk of this one had met before.
    if (looks && table.level == goal && goal > Level::k4K &&
        keeps_small(mmu_, tree.get(table, index), goal)) {
      goal = below(goal);
    }
    if (table.level == goal) return table;
    if (!tree.get(table, index).is_link(table.level)) {
      link(fault, table, index);
    }
    table = link::table(tree.get(table, index), below(table.level));
  }
}

// A huge leaf in the way is dropped first. KVM: __link_shadow_page().
void RmapOps::link(const Fault& fault, TableRef& table, unsigned index) {
  PageTable& tree = mmu_.tree(fault.root);
  const bool was_leaf = tree.get(table, index).is_leaf(table.level);
  if (was_leaf) tree.set_spte(table, index, Spte{});
  const TableRef child = child_for(fault, below(table.level));
  tree.set_spte(table, index, tree.link_to(child));
  note_nx_table(mmu_, fault, child);
  if (was_leaf) drop_and_flush(fault, table.level);
}

// KVM: kvm_mmu_get_child_sp(), kvm_mmu_find_shadow_page().
TableRef RmapOps::child_for(const Fault& fault, Level level) {
  const AliasedGfn key =
      round_down(mmu_.alias.key_gfn(fault.issued), above(level));
  const PageId found =
      hash_.find({key, level, static_cast<std::uint8_t>(fault.root)});
  mmu_.stats.max_mmu_page_hash_collisions = hash_.max_collisions();
  const bool is_new = found == kNoPage;
  const TableRef page = is_new ? make_page(key, level, fault.root)
                               : TableRef{found, level, false};
  if (mmu_.trace) mmu_.trace->get_page(page, is_new);
  if (is_new) active_.add(page.id);
  return page;
}

TableRef RmapOps::make_page(AliasedGfn key, Level level, RootId root) {
  const auto number = static_cast<std::uint8_t>(root);
  const TableRef page = mmu_.tree(root).make_unlinked(key, level);
  mmu_.pool.header(page.id).root = number;
  hash_.insert({key, level, number}, page.id);
  ++mmu_.stats.mmu_cache_miss;
  return page;
}

void RmapOps::make_root(RootId root) {
  PageTable& tree = mmu_.tree(root);
  tree.adopt_root(make_page({0}, tree.root_level(), root));
}

// What was mapped at `level` around the fault is gone.
void RmapOps::drop_and_flush(const Fault& fault, Level level) {
  const std::uint64_t pages = pages_per(level);
  const AliasedGfn first = round_down(fault.issued, level);
  const Gfn gfn = round_down(fault.gfn, level);
  mmu_.flush.took(mmu_.alias.space().alias_of(first),
                  {first, {first.value + pages}});
  mmu_.flush.range({gfn, {gfn.value + pages}});
}

void RmapOps::map_mmio(const Fault& fault, TableRef& table) {
  const unsigned index = table_index(fault.walk_gfn, Level::k4K);
  mmu_.tree(fault.root)
      .set_spte(table, index,
                make_mmio(fault.gfn, mmu_.slots().mmio_generation()));
  if (mmu_.trace) mmu_.trace->mark_mmio_spte(fault, table, index);
  ++mmu_.vcpus[fault.vcpu].pf_mmio_spte_created;
}

// KVM compares whole values here: only an entry that would not change is
// spurious.
OutcomeCode RmapOps::map_leaf(Fault& fault, Memslot& slot, TableRef& table) {
  PageTable& tree = mmu_.tree(fault.root);
  const Level level = table.level;
  const unsigned index = table_index(fault.walk_gfn, level);
  const Spte old = tree.get(table, index);
  const Spte leaf = leaf_for(mmu_, fault, slot, level);
  fault.level = level;
  if (old == leaf) {
    return is_refused(fault, leaf) ? OutcomeCode::kWriteProtected
                                   : OutcomeCode::kSpurious;
  }
  if (fault.prefetch && old.is_leaf(level) && old.pfn() == leaf.pfn()) {
    return OutcomeCode::kSpurious;
  }
  const bool in_the_way =
      old.is_link(level) || (old.is_leaf(level) && old.pfn() != leaf.pfn());
  if (in_the_way) tree.set_spte(table, index, Spte{});
  rmap_before_ = 0;
  tree.set_spte(table, index, leaf);
  if (mmu_.trace) mmu_.trace->set_spte(fault, table, index);
  mark_dirty(mmu_, fault, slot, leaf);
  if (in_the_way) drop_and_flush(fault, level);
  fault.recycled = recycle(fault.gfn, level, rmap_before_);
  if (is_refused(fault, leaf)) return OutcomeCode::kWriteProtected;
  const bool unblocked = old.is_blocked() && old.pfn() == leaf.pfn();
  return unblocked ? OutcomeCode::kUnzapped : OutcomeCode::kFixed;
}

// The neighbours that are absent, run by run; the first run that cannot be had
// whole ends it. KVM: __direct_pte_prefetch(), direct_pte_prefetch_many().
void RmapOps::prefetch(const Fault& fault, TableRef& table) {
  const PageTable& tree = mmu_.tree(fault.root);
  const unsigned mine = table_index(fault.walk_gfn, Level::k4K);
  const unsigned start = mine & ~(kPrefetch - 1);
  unsigned first = start;
  for (unsigned i = start; i <= start + kPrefetch; ++i) {
    const bool in_run =
        i < start + kPrefetch && i != mine && !tree.get(table, i).is_present();
    if (in_run) continue;
    if (first < i && !prefetch_run(fault, table, first, i)) return;
    first = i + 1;
  }
}

bool RmapOps::prefetch_run(const Fault& fault, TableRef& table, unsigned first,
                           unsigned end) {
  const unsigned mine = table_index(fault.walk_gfn, Level::k4K);
  Fault at = fault;
  // Only pages that the host lets be written, whatever it says of the fault's.
  at.map_writable = true;
  advance(at, first - std::uint64_t{mine});
  Memslot* slot = visible_slot(mmu_, at);
  if (slot == nullptr || slot->is_readonly() || slot->is_logged()) return false;
  if (at.gfn.value + (end - first) > slot->range.end.value) return false;
  if (all_alike(*slot)) {
    prefetch_alike(at, table, {first, end}, *slot);
    return true;
  }
  for (unsigned i = first; i < end; ++i, advance(at, 1)) {
    if (!prefetch_one(at, table, i, *slot)) return i > first;
  }
  return true;
}

// Whether its pages differ in nothing but their frames.
bool RmapOps::all_alike(const Memslot& slot) const {
  return !slot.has_host_mappings && slot.tracked.empty() && !mmu_.mtrrs &&
         !mmu_.has_private_memory();
}

void RmapOps::prefetch_alike(Fault fault, TableRef& table, Indexes run,
                             const Memslot& slot) {
  fault.pfn = {0};
  const Spte alike = mark_unused(leaf_for(mmu_, fault, slot, Level::k4K));
  for (unsigned i = run.first; i < run.end; ++i, advance(fault, 1)) {
    const std::uint64_t frame = slot.pfn_of(fault.gfn).value << kPageShift;
    install_ahead(fault, table, i, alike.with(frame));
  }
}

// False where the host does not have the page ready, to write to: KVM asks for
// all pages of a run before it looks at one.
// KVM: kvm_prefetch_pages().
bool RmapOps::prefetch_one(Fault& fault, TableRef& table, unsigned index,
                           const Memslot& slot) {
  const HostAnswer host = look_up_host(mmu_, slot, fault.gfn);
  if (host.state != HostState::kReadWrite) return false;
  if (!may_prefetch(fault, mmu_.tree(fault.root).get(table, index))) {
    return true;
  }
  fault.pfn = host.pfn;
  install_ahead(fault, table, index,
                mark_unused(leaf_for(mmu_, fault, slot, Level::k4K)));
  return true;
}

void RmapOps::install_ahead(const Fault& fault, TableRef& table, unsigned index,
                            Spte leaf) {
  rmap_before_ = 0;
  mmu_.tree(fault.root).set_spte(table, index, leaf);
  if (mmu_.trace) mmu_.trace->set_spte(fault, table, index);
  recycle(fault.gfn, Level::k4K, rmap_before_);
}

// A prefetch asks nobody, so it must not do what a fault would have to undo
// first: map a private page as shared, or a page beside its other alias.
bool RmapOps::may_prefetch(const Fault& fault, Spte old) const {
  if (old.is_blocked()) return false;
  if (!mmu_.has_private_memory() || !mmu_.traits.claims_exclusion) return true;
  if (mmu_.private_frames.contains(fault.canonical)) return false;
  const GfnRange page{fault.canonical, {fault.canonical.value + 1}};
  for (const View& view : mmu_.alias.every_view(page)) {
    const Spte other = reach(mmu_, view.range.start).spte;
    if (view.root != fault.root && (other.is_present() || other.is_blocked())) {
      return false;
    }
  }
  return true;
}

}  // namespace mmu
