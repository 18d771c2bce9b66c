// Rule huge-mixed-memtype: one leaf maps frames that the guest's MTRRs give
// different types. Some of them then have a wrong one.
//
// Judged on the frames that memslots know, where the leaf is, and not where
// the access came from.
#include "core/memory_types.hpp"
#include "core/reach.hpp"
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class HugeMixedMemtype final : public Rule {
 public:
  static constexpr std::string_view kId = "huge-mixed-memtype";
  static constexpr std::string_view kSentence =
      "a huge leaf maps frames of different memory types";
  static constexpr std::string_view kReason =
      "A leaf has one memory type, so some of its frames get one that the "
      "guest's MTRRs deny them: a device's registers may be cached, or "
      "memory left uncached.";
  static constexpr std::string_view kSource =
      "KVM: kvm_mtrr_check_gfn_range_consistency(), v5.17; broken by TDX RFC "
      "v5 033/104, March 2022";
  static constexpr std::string_view kDefects = "D4";
  static constexpr std::string_view kNeeds = "memoryTypes";
  static bool applies(const Mmu& mmu) { return mmu.mtrrs.has_value(); }

  using Rule::Rule;

  void answered(const Answered& event) override {
    if (event.answer != OutcomeCode::kFixed) return;
    const Alias& alias = vm().alias;
    const AliasedGfn issued = event.access.issued;
    const Reached at = reach(vm(), alias.walk_gfn(issued));
    if (!at.is_leaf() || at.level == Level::k4K) return;
    if (has_one_type(vm(), alias.slot_gfn(issued), at.level)) return;
    violate({"types were asked for the address with its alias bits",
             gpa_of(issued).value});
  }
};

const RegisterRule<HugeMixedMemtype> registered;

}  // namespace
}  // namespace mmu
