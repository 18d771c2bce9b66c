// The TDP MMU: a radix tree per root, walked for each view of a range.
//
// KVM: arch/x86/kvm/mmu/tdp_mmu.c (v6.16).
#pragma once

#include "core/flavour.hpp"
#include "core/log_window.hpp"

namespace mmu {

class TdpOps final : public FlavourOps {
 public:
  explicit TdpOps(Mmu& mmu) : mmu_(mmu) {}

  bool ensure_room(const Fault& fault) override {
    return mmu_.tree(fault.root).ensure_one_path();
  }
  void make_root(RootId root) override { mmu_.tree(root).make_root(); }
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
  void append_tables(std::vector<TableView>& tables) const override;
  void add_tables(Digest& digest) const override;

 private:
  OutcomeCode map_leaf(Fault& fault, Memslot& slot);
  OutcomeCode map_mmio(Fault& fault);
  // The table that holds the entry of the fault at `goal`, or why it cannot be
  // made. KVM: kvm_tdp_mmu_map().
  OutcomeCode reach(Fault& fault, Level goal, TableRef& table);
  OutcomeCode build_path(Fault& fault, Level goal, TableRef& table);
  // What the owner of external tables says to one more private entry, at
  // `index` of a table that others may make full meanwhile.
  OutcomeCode ask_external(Fault& fault, TableRef& table, unsigned index);
  OutcomeCode let_others_meet_frozen(Fault& fault, TableRef& table,
                                     unsigned index);
  void replace_table(const Fault& fault);
  // One private leaf after the other, each with a flush of its own.
  void drop_private_each(const View& view);
  // Where logs begin with every page dirty, huge leaves are still there when a
  // window of pages is cleared.
  void take_apart(const Memslot& slot, const LogWindow& window);
  // Calls act(tree, view) on the views of a slot that logging may touch.
  template <class Act>
  void for_each_logged_view(const Memslot& slot, GfnRange range, Act act);
  bool took(const View& view, const Hull& hull);

  Mmu& mmu_;
};

}  // namespace mmu
