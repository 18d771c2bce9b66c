// Rule stale-translation: a vCPU uses what a flush should have removed.
//
// After every flush that was due, whoever decided how much of it to do, each
// cached translation of its frames is compared with what a walk says now. Where
// one grants more it is overdue from then on: a huge one for those of its
// frames that the flush was about and that lost something, and for no other, as
// what the rest of it grants the tables still grant. A cached link is overdue
// as a whole once it is no longer there, because all of it leads into a table
// that may be anything now. Once per entry and flush.
#include "core/reach.hpp"
#include "core/rules/rule_set.hpp"
#include "core/structure_cache.hpp"

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
  static constexpr bool kSeesWalks = false;
  static bool applies(const Mmu& mmu) { return mmu.tlbs != nullptr; }

  using Rule::Rule;

  void served(const Served& event) override {
    if (!event.overdue) return;
    violate({"the flush left the frames of this alias alone",
             gpa_of(event.access.issued).value});
  }

  void strayed(const Strayed& event) override {
    violate({"the flush left a cached link to a table that is gone",
             gpa_of(event.access.issued).value});
  }

  void flushed(GfnRange range) override {
    vm().tlbs->for_each_tlb([&](Tlb& tlb) {
      for_each_cached(tlb, range, [&](TlbEntry& entry) {
        if (is_loadable(entry)) judge(tlb, entry, asked_of(entry, range));
      });
    });
  }

 private:
  // What there can be of these slot frames, and more: through every alias, or
  // all of it where that is as little work.
  template <class Visit>
  void for_each_cached(Tlb& tlb, GfnRange range, Visit visit) {
    constexpr std::uint64_t kFew = 1024;
    if (range.size() > kFew) return tlb.for_each(visit);
    const AliasSpace& space = vm().alias.space();
    const Gfn start = vm().alias.canonical({range.start.value});
    for (unsigned alias = 0; alias < space.alias_count(); ++alias) {
      const AliasedGfn first = space.issue(start, alias);
      tlb.for_each_in({first, {first.value + range.size()}}, visit);
    }
  }

  // Those frames of the entry that the flush was about, as issued.
  AliasedRange asked_of(const TlbEntry& entry, GfnRange range) const {
    const AliasedRange frames = entry.frames();
    const std::uint64_t offset =
        entry.gfn.value - vm().alias.slot_gfn(entry.gfn).value;
    return {std::max(frames.start, {range.start.value + offset}),
            std::min(frames.end, {range.end.value + offset})};
  }

  void judge(Tlb& tlb, TlbEntry& entry, AliasedRange asked) const {
    if (asked.empty()) return;
    if (is_link_kind(entry.kind)) {
      if (!is_link_there(vm(), entry)) tlb.owe(entry, entry.frames());
      return;
    }
    for_each_part(vm(), asked, [&](AliasedRange part, const Reached& now) {
      judge_part(tlb, entry, part, now);
    });
  }

  // Only a log tells frames of one leaf apart.
  void judge_part(Tlb& tlb, TlbEntry& entry, AliasedRange part,
                  const Reached& now) const {
    if (!is_stale(entry, part.start, now, false)) return;
    if (is_stale(entry, part.start, now, true)) return tlb.owe(entry, part);
    for (AliasedGfn at = part.start; at < part.end; ++at.value) {
      if (!is_noted(at)) tlb.owe(entry, {at, {at.value + 1}});
    }
  }

  // No vCPU can load a root that was dropped, nor what was cached under it.
  bool is_loadable(const TlbEntry& entry) const {
    return entry.incarnation == vm().incarnations[entry.root];
  }

  // Whether the page may be written with nobody told: no log misses it.
  bool is_noted(AliasedGfn issued) const {
    const Gfn gfn = vm().alias.slot_gfn(issued);
    const Memslot* slot = vm().slots().find(gfn);
    if (slot == nullptr || !slot->is_logged()) return true;
    return slot->dirty != nullptr && slot->has_dirty(gfn);
  }

  // What ageing took, no flush has to take from the TLBs, and W stays away
  // longer than the rest. A write that would set Dirty may not go unseen.
  std::uint64_t rights_of(Spte leaf, bool is_noted) const {
    if (vm().config.host.ad_bits) {
      const std::uint64_t hidden = leaf.has(ept::kDirty) ? 0 : ept::kWrite;
      return leaf.without(hidden).permissions();
    }
    const bool may_write = leaf.has(ept::kMmuWritable) && is_noted;
    const Spte used = is_access_tracked(leaf) ? mark_used(leaf) : leaf;
    return used.permissions() | (may_write ? ept::kWrite : 0);
  }

  bool is_stale(const TlbEntry& entry, AliasedGfn issued, const Reached& now,
                bool is_noted) const {
    return !now.is_leaf() || now.pfn_of(issued) != entry.pfn_of(issued) ||
           (entry.rights & ~rights_of(now.spte, is_noted)) != 0;
  }
};

const RegisterRule<StaleTranslation> registered;

}  // namespace
}  // namespace mmu
