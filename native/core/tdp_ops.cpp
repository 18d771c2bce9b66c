#include "core/tdp_ops.hpp"

#include "core/leaf_level.hpp"
#include "core/memory_types.hpp"
#include "core/range_ops.hpp"
#include "core/table_walk.hpp"
#include "core/tracepoints/tracer.hpp"
#include "core/tree_digest.hpp"

namespace mmu {

bool TdpOps::took(const View& view, const Hull& hull) {
  mmu_.flush.took(view.alias, hull.range);
  return !hull.empty();
}

bool TdpOps::zap(ZapCause cause, GfnRange range) {
  bool any = false;
  for (const View& view : mmu_.alias.zap_views(cause, range)) {
    if (view.root == RootId::kPrivate && mmu_.traits.private_is_host_memory) {
      drop_private_each(view);
    } else {
      any |= took(view, zap_leafs(mmu_.tree(view.root), view.range));
    }
  }
  return any;
}

// Private pages with frames of their own are not the host's to take.
bool TdpOps::invalidate_host(GfnRange range) {
  bool any = zap(ZapCause::kHost, range);
  if (!mmu_.traits.private_is_host_memory) return any;
  for (const View& view : mmu_.alias.views(range)) {
    if (view.root != RootId::kPrivate) continue;
    any |= took(view, block_leafs(mmu_.tree(view.root), view.range));
  }
  return any;
}

// As invalidate_host(): private pages that are not the host's are not its to
// ask about.
bool TdpOps::age(GfnRange range, bool clear) {
  bool young = false;
  for (const View& view : mmu_.alias.views(range)) {
    const bool is_hosts = Alias::acts_on(ZapCause::kHost, view.root) ||
                          mmu_.traits.private_is_host_memory;
    if (!is_hosts) continue;
    young |= age_leafs(mmu_.tree(view.root), view.range, clear);
  }
  return young;
}

// Blocked, flushed, dropped; one that was blocked before is only dropped.
// TDX RFC v3 57/59: the order inside the SPTE change handler.
void TdpOps::drop_private_each(const View& view) {
  PageTable& tree = mmu_.tree(view.root);
  for (TableWalk walk(tree, view.range); walk; walk.next()) {
    const Spte spte = walk.spte();
    if (spte.is_leaf(walk.level())) {
      const AliasedRange page{walk.gfn(), {walk.gfn().value + 1}};
      tree.set_spte(walk.table(), walk.index(), make_blocked(spte.pfn()));
      mmu_.flush.took(view.alias, page);
      mmu_.flush.range(
          {{page.start.value - view.offset}, {page.end.value - view.offset}});
      tree.set_spte(walk.table(), walk.index(), Spte{});
    } else if (spte.is_blocked()) {
      tree.set_spte(walk.table(), walk.index(), Spte{});
    }
  }
}

void TdpOps::zap_other_alias(const Fault& fault) {
  const Gfn gfn = fault.canonical;
  const GfnRange page{gfn, {gfn.value + 1}};
  for (const View& view : mmu_.alias.views(page)) {
    if (view.root == fault.root) continue;
    if (view.root == RootId::kPrivate) {
      drop_private_each(view);
    } else if (took(view, zap_leafs(mmu_.tree(view.root), view.range))) {
      mmu_.flush.range(page);
    }
  }
}

void TdpOps::zap_all_fast() {
  if (mmu_.trace) mmu_.trace->zap_all_fast();
  mmu_.accounts.changed += mmu_.tree(RootId::kDirect).drop_root();
  ++mmu_.incarnation(RootId::kDirect);
}

template <class Act>
void TdpOps::for_each_logged_view(const Memslot& slot, GfnRange range,
                                  Act act) {
  if (slot.as_id != 0) return;  // no access uses SMM
  for (const View& view : mmu_.alias.views(range)) {
    if (!view.is_private) act(mmu_.tree(view.root), view);
  }
}

void TdpOps::zap_table(PageId page) {
  const PageHeader header = mmu_.pool.header(page);
  const Level level = above(header.level);
  TableRef parent{header.parent, level, false};
  const std::uint64_t end = header.gfn.value + pages_per(level);
  mmu_.flush.took(mmu_.alias.space().alias_of(header.gfn), {header.gfn, {end}});
  const Tracer::KeepsFaultsOut lock(mmu_.trace.get());
  mmu_.tree(static_cast<RootId>(header.root))
      .set_spte(parent, header.parent_index, Spte{});
}

bool TdpOps::write_protect(Gfn gfn, Level min_level) {
  constexpr std::uint64_t kBits = ept::kWrite | ept::kMmuWritable;
  const std::uint64_t before = mmu_.accounts.changed;
  for (const View& view : mmu_.alias.views({gfn, {gfn.value + 1}})) {
    took(view,
         take_bits(mmu_.tree(view.root), view.range, kBits, 0, min_level));
  }
  return mmu_.accounts.changed != before;
}

// Split before D goes: the pages of a huge leaf were all written, as far as
// anybody knows. KVM: kvm_mmu_slot_apply_flags(), not initially-all-set.
void TdpOps::arm(const Memslot& slot) {
  for_each_logged_view(slot, slot.range, [&](PageTable& tree, View view) {
    if (mmu_.config.host.eager_page_split) split_huge_pages(tree, view.range);
    if (mmu_.pml == nullptr) {
      took(view, take_bits(tree, view.range, ept::kWrite, mmu_.private_bit));
      return;
    }
    took(view, take_bits(tree, view.range, ept::kDirty, mmu_.private_bit));
    took(view, take_bits(tree, view.range, ept::kWrite, mmu_.private_bit,
                         Level::k2M));
  });
}

void TdpOps::take_apart(const Memslot& slot, const LogWindow& window) {
  constexpr std::uint64_t kBits = ept::kWrite | ept::kMmuWritable;
  if (mmu_.config.host.eager_page_split) {
    for_each_logged_view(slot, window.range(), [](PageTable& tree, View view) {
      split_huge_pages(tree, view.range);
    });
  }
  window.for_each_huge_end([&](Gfn gfn) {
    const GfnRange page{gfn, {gfn.value + 1}};
    for_each_logged_view(slot, page, [&](PageTable& tree, View view) {
      took(view,
           take_bits(tree, view.range, kBits, mmu_.private_bit, Level::k2M));
    });
  });
}

// KVM: kvm_arch_mmu_enable_log_dirty_pt_masked().
void TdpOps::rearm(const Memslot& slot, Gfn first, std::uint64_t mask) {
  if (mmu_.log.is_set_at_first) take_apart(slot, {first, mask});
  const std::uint64_t bits = mmu_.pml == nullptr ? ept::kWrite : ept::kDirty;
  const GfnRange start{first, {first.value + 1}};
  for_each_logged_view(slot, start, [&](PageTable& tree, const View& view) {
    took(view, take_bits_masked(tree, view.range.start, mask, bits,
                                mmu_.private_bit));
  });
}

bool TdpOps::disarm(const Memslot& slot) {
  bool any = false;
  const auto may = [&](Gfn gfn, Level level) {
    return allows_level(mmu_, slot, gfn, level) &&
           has_one_type(mmu_, gfn, level);
  };
  for_each_logged_view(
      slot, slot.range, [&](PageTable& tree, const View& view) {
        any |= took(view, recover_huge_pages(tree, view.range, view.offset,
                                             mmu_.private_bit, may));
      });
  return any;
}

// A table of a tree has one parent, and the root none.
void TdpOps::append_tables(std::vector<TableView>& tables) const {
  for (unsigned i = 0; i < kRootCount; ++i) {
    const PageTable& tree = mmu_.trees[i];
    if (!tree.has_root()) continue;
    const auto root = static_cast<std::uint8_t>(i);
    const unsigned top = number_of(tree.root_level());
    tables.push_back({.level = static_cast<std::uint8_t>(top), .root = root});
    for (TableWalk walk(tree, kAllIssued, Level::k2M); walk; walk.next()) {
      if (!walk.spte().is_link(walk.level())) continue;
      tables.push_back(
          {.gpa = gpa_of(walk.gfn()).value,
           .parents = 1,
           .level = static_cast<std::uint8_t>(number_of(walk.level()) - 1),
           .root = root});
    }
  }
}

void TdpOps::add_tables(Digest& digest) const {
  for (const PageTable& tree : mmu_.trees) {
    digest.add(tree.has_root());
    for (TableWalk walk(tree, kAllIssued); walk; walk.next()) {
      const Spte spte = walk.spte();
      digest.add(walk.gfn().value);
      digest.add(number_of(walk.level()));
      if (spte.is_link(walk.level())) {
        add_page(digest, mmu_, link::table(spte, below(walk.level())).id);
      } else {
        add_entry(digest, mmu_, spte);
      }
    }
  }
}

std::unique_ptr<FlavourOps> make_tdp_ops(Mmu& mmu) {
  return std::make_unique<TdpOps>(mmu);
}

}  // namespace mmu
