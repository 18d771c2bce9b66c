// The legacy MMU with direct shadow pages: found by hash on the way down,
// leaves found by reverse map on the way back.
//
// A shadow page is named by a frame, a level and a root. Who names it by the
// stripped frame has one page where others have two, linked by both.
//
// KVM: arch/x86/kvm/mmu/mmu.c (v6.16), direct_map() and the rmap functions.
#pragma once

#include "core/flavour.hpp"
#include "core/log_window.hpp"
#include "core/page_queue.hpp"
#include "core/parent_lists.hpp"
#include "core/shadow/shadow_roots.hpp"
#include "core/shadow_hash.hpp"

namespace mmu {

// Entries of the aligned group that a fault fills. KVM: PTE_PREFETCH_NUM.
inline constexpr unsigned kPrefetch = 8;

// Levels at which a reverse map has lists.
inline constexpr Level kLeafLevels[] = {Level::k4K, Level::k2M, Level::k1G};

class RmapOps final : public FlavourOps, public SpteObserver {
 public:
  RmapOps(Mmu& mmu, ParentLists&& parents, PageQueue&& active)
      : mmu_(mmu), parents_(std::move(parents)), active_(std::move(active)) {
    for (PageTable& tree : mmu.trees) tree.observe(this);
    if (mmu.slot_rules.kernel.pages_by_shadow) keep_roots();
  }

  bool ensure_room(const Fault& fault) override;
  void make_root(RootId root) override;
  OutcomeCode map(Fault& fault, Memslot* slot) override;
  void zap_other_alias(const Fault& fault) override;
  bool zap(ZapCause cause, GfnRange range) override;
  bool invalidate_host(GfnRange range) override;
  bool age(GfnRange range, bool clear) override;
  void zap_all_fast() override;
  void zap_table(PageId page) override;
  bool write_protect(Gfn gfn, Level min_level) override;
  void arm(const Memslot& slot) override;
  void rearm(const Memslot& slot, Gfn first, std::uint64_t mask) override;
  bool disarm(const Memslot& slot) override;
  bool write_protect_gfns(const Memslot& slot, GfnRange frames) override;
  void set_page_limit(std::uint64_t pages) override;
  void memory_changed() override;
  bool loads_roots() const override { return roots_ != nullptr; }
  std::string_view load_root(unsigned vcpu) override;
  void unload_roots(unsigned vcpu) override;
  void switch_root(unsigned vcpu) override;
  bool zap_guest_tables(GfnRange frames) override;
  void add_roots_of(Digest& digest, unsigned vcpu) const override;
  void emulated_write(Gfn gfn) override;
  std::uint64_t rmap_count(Gfn gfn) const override;
  void append_tables(std::vector<TableView>& tables) const override;
  std::optional<ShadowBooks> books() const override {
    return ShadowBooks{hash_, parents_, active_};
  }
  void add_tables(Digest& digest) const override;

  // Keeps reverse maps and parents true, whatever changes an entry.
  void changed(TableRef table, unsigned index, Spte old,
               Spte now) noexcept override;

 private:
  // A leaf's place, as a reverse map found it.
  struct Leaf {
    TableRef table;
    unsigned index;
    Spte spte;
    RootId root;
    AliasedRange frames;  // as issued, but for pages that aliases share
  };

  // Entries of one table, [first, end).
  struct Indexes {
    unsigned first;
    unsigned end;
  };

  // rmap_map.cpp
  TableRef descend(const Fault& fault, Level goal);
  TableRef child_for(const Fault& fault, Level level);
  TableRef make_page(AliasedGfn key, Level level, RootId root);
  void link(const Fault& fault, TableRef& table, unsigned index);
  OutcomeCode map_leaf(Fault& fault, Memslot& slot, TableRef& table);
  void map_mmio(const Fault& fault, TableRef& table);
  void drop_and_flush(const Fault& fault, Level level);
  void prefetch(const Fault& fault, TableRef& table);
  bool prefetch_run(const Fault& fault, TableRef& table, unsigned first,
                    unsigned end);
  bool prefetch_one(Fault& fault, TableRef& table, unsigned index,
                    const Memslot& slot);
  bool all_alike(const Memslot& slot) const;
  void prefetch_alike(Fault fault, TableRef& table, Indexes run,
                      const Memslot& slot);
  void install_ahead(const Fault& fault, TableRef& table, unsigned index,
                     Spte leaf);
  bool may_prefetch(const Fault& fault, Spte old) const;

  // rmap_roots.cpp
  void keep_roots();
  std::uint64_t used_pages() const;

  // rmap_limits.cpp
  std::uint64_t free_pages() const;
  bool make_pages_available();
  void change_limit(std::uint64_t pages);
  void zap_oldest(std::uint64_t pages);
  bool zap_one_old();
  // A leaf was set at `level`, in whose list there were `before` others.
  // True if that was too many, and all of them are gone.
  bool recycle(Gfn gfn, Level level, std::uint64_t before);

  // rmap_ops.cpp, rmap_log.cpp
  Leaf leaf_at(Level level, SpteRef ref) const;
  AliasedGfn frame_of(TableRef table, unsigned index) const;
  bool is_private(const Leaf& leaf) const;
  void set(Leaf& leaf, Spte now);
  void take(Leaf& leaf, Spte now);
  // Calls act(leaf) on every member of the slot's lists for these frames.
  template <class Act>
  void for_each(const Memslot& slot, Level level, GfnRange frames, Act act);
  template <class Act>
  void for_each_in_slots(GfnRange range, Act act);
  template <class Act>
  void for_each_at(Gfn gfn, Act act);
  bool zap_leaf(ZapCause cause, Leaf& leaf);
  std::optional<Leaf> oldest_collapsible(const Memslot& slot, Level level,
                                         std::uint64_t list) const;
  // From leaves that dirty logs know of.
  void take_logged(const Memslot& slot, Level level, GfnRange frames,
                   std::uint64_t bits);
  void free_page(const ShadowKey& key, PageId id);

  Mmu& mmu_;
  ShadowHash hash_;
  ParentLists parents_;
  PageQueue active_;                    // all pages but roots, oldest first
  std::unique_ptr<ShadowRoots> roots_;  // null with two dimensions of paging
  std::uint64_t max_pages_ = kLeastMmuPages;
  bool has_own_limit_ = false;
  // Leaves that the list had to which one was added last.
  std::uint64_t rmap_before_ = 0;
};

template <class Act>
void RmapOps::for_each(const Memslot& slot, Level level, GfnRange frames,
                       Act act) {
  if (slot.rmap == nullptr) return;
  slot.rmap->for_each_in(level, frames, [&](std::uint64_t, SpteRef ref) {
    Leaf leaf = leaf_at(level, ref);
    act(leaf);
  });
}

}  // namespace mmu
