// Rule alias-shared-leaf: one leaf serves two aliases. Whatever the bit was to
// tell apart, one entry cannot.
#include "core/reach.hpp"
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class AliasSharedLeaf final : public Rule {
 public:
  static constexpr std::string_view kId = "alias-shared-leaf";
  static constexpr std::string_view kSentence =
      "one leaf serves two aliases that the preset tells apart";
  static constexpr std::string_view kReason =
      "Whatever the alias bit was to tell apart, rights or kinds of memory, "
      "one entry cannot: the guest gets through one alias what was meant for "
      "the other.";
  static constexpr std::string_view kSource =
      "KVM: kvm_mmu_find_shadow_page(), which goes by frame and role, v6.16; "
      "broken by TDX RFC v5 033/104, March 2022";
  static constexpr std::string_view kDefects = "D1b";
  static bool applies(const Mmu& mmu) {
    return mmu.alias.space().alias_count() > 1;
  }

  using Rule::Rule;

  void answered(const Answered& event) override {
    if (event.outcome == OutcomeCode::kStuck) return;
    const AliasedGfn issued = event.access.issued;
    const Reached mine = reach(vm(), issued);
    const GfnRange page{event.canonical, {event.canonical.value + 1}};
    for (const View& view : vm().alias.every_view(page)) {
      if (view.range.start == issued) continue;
      const Reached other = reach(vm(), view.range.start);
      if (!other.is_leaf() || other.entry != mine.entry) continue;
      violate({"both lead through the same table", gpa_of(issued).value});
      return;
    }
  }
};

const RegisterRule<AliasSharedLeaf> registered;

}  // namespace
}  // namespace mmu
