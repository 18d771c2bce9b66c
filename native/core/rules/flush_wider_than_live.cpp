// Advisory flush-wider-than-live: a flush was asked for that covers an alias
// through which nothing of its frames can be cached. It is not wrong; it costs
// a call, or everybody's translations, for nothing.
//
// *Live* is what it was when the operation that owes the flush began: the
// alias had a present leaf of those frames, or some vCPU has cached one. That
// is seen afterwards, for the price of the flush and not of the operation:
//   the operation took something through the alias (alias/precise.cpp flushes
//     for no other reason);
//   or a leaf is there that lost nothing;
//   or a leaf that it took through another alias was this one's too, because
//     both ways lead into one table, which outlives its leaves;
//   or a TLB has an entry, say of a leaf whose own flush was forgotten.
//
// What is judged is the strategy's plan. What a failed call makes necessary is
// not: a full flush is then right. Nor is anything without a range provider:
// there is nothing narrower to be had than everything. Once per request.
#include "core/reach.hpp"
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

// The table in which a walk ends; of id 0 where there is no root.
TableRef end_of(const PageTable& tree, AliasedGfn issued) {
  if (!tree.has_root()) return {};
  TableRef table = tree.root();
  for (Level level = tree.root_level(); level > Level::k4K;) {
    const Spte spte = tree.get(table, table_index(issued, level));
    if (!spte.is_link(level)) break;
    level = below(level);
    table = link::table(spte, level);
  }
  return table;
}

class FlushWiderThanLive final : public Rule {
 public:
  static constexpr std::string_view kId = "flush-wider-than-live";
  static constexpr RuleKind kKind = RuleKind::kAdvisory;
  static constexpr std::string_view kSentence =
      "a flush covers an alias through which nothing of its frames is live";
  static constexpr std::string_view kReason =
      "Nothing is lost but time. Each call to the hypervisor has its price, "
      "and a flush of everything makes every vCPU walk again for whatever it "
      "had cached.";
  static constexpr std::string_view kSource =
      "KVM: kvm_flush_remote_tlbs_range(), hv_flush_remote_tlbs_range(), "
      "v6.16; two or more alias bits in TDX RFC v1 34/67 to v5 033/104";
  static constexpr std::string_view kDefects = "D8";
  static constexpr std::string_view kNeeds = "flushProvider";
  static constexpr bool kSeesWalks = false;
  static bool applies(const Mmu& mmu) {
    return mmu.alias.space().alias_count() > 1 && mmu.flush.has_range_hook();
  }

  using Rule::Rule;

  void planned(const FlushRequest& request, const FlushPlan& plan) override {
    for (const View& view : covered(request.range, plan)) {
      if (is_live(view, request.taken)) continue;
      return violate({"nothing of its frames was mapped through that alias",
                      gpa_of(view.range.start).value});
    }
  }

 private:
  // A call covers the alias that it names, a flush of everything each of them.
  Views covered(GfnRange range, const FlushPlan& plan) const {
    if (plan.full) return vm().alias.every_view(canonical(range));
    Views views;
    for (std::size_t i = 0; i < plan.count; ++i) {
      const AliasedRange frames = plan.calls[i];
      views.add({.root = vm().alias.root_of(frames.start),
                 .range = frames,
                 .alias = alias_of(frames.start)});
    }
    return views;
  }

  // Under duplicate-slots a slot's frames carry the bit.
  GfnRange canonical(GfnRange range) const {
    const Gfn start = vm().alias.canonical({range.start.value});
    return {start, {start.value + range.size()}};
  }

  std::uint8_t alias_of(AliasedGfn issued) const {
    return static_cast<std::uint8_t>(vm().alias.space().alias_of(issued));
  }

  // The cheapest answer first.
  bool is_live(const View& view, const Takings& taken) const {
    return !taken.of(view.alias).empty() || has_leaf(view) ||
           shares_what_went(view.alias, taken) || is_cached(view);
  }

  bool has_leaf(const View& view) const {
    for (TableWalk walk(vm().tree(view.root), view.range); walk; walk.next()) {
      if (walk.spte().is_leaf(walk.level())) return true;
    }
    return false;
  }

  bool shares_what_went(unsigned alias, const Takings& taken) const {
    for (unsigned other = 0; other < Takings::kMost; ++other) {
      const AliasedRange hull = taken.of(other).range;
      // One look for each table that a walk could end in.
      for (std::uint64_t at = hull.start.value; at < hull.end.value;
           at = (at | (pages_per(Level::k2M) - 1)) + 1) {
        if (end_in_one_table({at}, alias)) return true;
      }
    }
    return false;
  }

  bool end_in_one_table(AliasedGfn issued, unsigned alias) const {
    const Alias& strategy = vm().alias;
    const AliasedGfn mine =
        strategy.space().issue(strategy.canonical(issued), alias);
    const TableRef table = end_of(vm().tree(strategy.root_of(issued)), issued);
    const TableRef other = end_of(vm().tree(strategy.root_of(mine)), mine);
    return table.id != kNoPage && table.id == other.id &&
           is_below_aliases(table.level);
  }

  // One that is not has an entry for each alias, and what they lead to differs.
  bool is_below_aliases(Level level) const {
    const std::uint64_t frames = pages_per(level) << kIndexBits;
    return frames <= vm().alias.space().offset_of(1);
  }

  bool is_cached(const View& view) const {
    if (vm().tlbs == nullptr) return false;
    bool found = false;
    vm().tlbs->for_each_in(view.range, [&](const TlbEntry& entry) {
      // A link is no translation of the frames below it.
      found |= !is_link_kind(entry.kind) &&
               entry.incarnation == vm().incarnations[entry.root];
    });
    return found;
  }
};

const RegisterRule<FlushWiderThanLive> registered;

}  // namespace
}  // namespace mmu
