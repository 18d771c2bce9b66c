// Rule stale-translation: a vCPU uses what a flush should have removed.
//
// After every flush that was due, whoever decided how much of it to do, each
// cached translation in its frames is compared with what a walk says now. One
// that grants more is overdue from then on. Once per entry and flush.
#include "core/reach.hpp"
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class StaleTranslation final : public Rule {
 public:
  static constexpr std::string_view kId = "stale-translation";
  static constexpr std::string_view kSentence =
      "a vCPU uses a TLB entry that a finished flush should have removed";
  static constexpr std::string_view kReason =
      "By then the page behind the entry may be somebody else's: the guest "
      "reads and writes memory of the host or of another guest, or memory "
      "whose rights it has lost.";
  static constexpr std::string_view kSource =
      "KVM: kvm_flush_remote_tlbs_range() and the callers that rely on it, "
      "kvm_mmu_unmap_gfn_range() among them, v6.16";
  static constexpr std::string_view kDefects = "D2 B14";
  static constexpr std::string_view kNeeds = "tlb";
  static bool applies(const Mmu& mmu) { return mmu.tlbs != nullptr; }

  using Rule::Rule;

  void served(const Served& event) override {
    if (!event.overdue) return;
    violate({"the flush left the frames of this alias alone",
             gpa_of(event.access.issued).value});
  }

  void flushed(GfnRange range) override {
    vm().tlbs->for_each([&](TlbEntry& entry) {
      if (is_loadable(entry) && concerns(entry, range) && is_stale(entry)) {
        entry.overdue = true;
      }
    });
  }

 private:
  // No vCPU can load a root that was dropped, nor what was cached under it.
  bool is_loadable(const TlbEntry& entry) const {
    return entry.incarnation == vm().incarnations[entry.root];
  }

  bool concerns(const TlbEntry& entry, GfnRange range) const {
    return range.contains(vm().alias.slot_gfn(entry.gfn));
  }

  // Whether the page may be written with nobody told: no log misses it.
  bool is_noted(const TlbEntry& entry) const {
    const Gfn gfn = vm().alias.slot_gfn(entry.gfn);
    const Memslot* slot = vm().slots().find(gfn);
    if (slot == nullptr || !slot->is_logged()) return true;
    return slot->dirty != nullptr && slot->has_dirty(gfn);
  }

  // What ageing took, no flush has to take from the TLBs, and W stays away
  // longer than the rest. A write that would set Dirty may not go unseen.
  std::uint64_t rights_of(const TlbEntry& entry, Spte leaf) const {
    if (vm().config.host.ad_bits) {
      const std::uint64_t hidden = leaf.has(ept::kDirty) ? 0 : ept::kWrite;
      return leaf.without(hidden).permissions();
    }
    const bool may_write = leaf.has(ept::kMmuWritable) && is_noted(entry);
    const Spte used = is_access_tracked(leaf) ? mark_used(leaf) : leaf;
    return used.permissions() | (may_write ? ept::kWrite : 0);
  }

  bool is_stale(const TlbEntry& entry) const {
    const Reached now = reach(vm(), entry.gfn);
    return !now.is_leaf() || now.pfn_of(entry.gfn) != entry.pfn ||
           (entry.rights & ~rights_of(entry, now.spte)) != 0;
  }
};

const RegisterRule<StaleTranslation> registered;

}  // namespace
}  // namespace mmu
