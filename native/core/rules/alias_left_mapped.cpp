// Rule alias-left-mapped: a zap or a slot's end missed an alias.
#include "core/reach.hpp"
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class AliasLeftMapped final : public Rule {
 public:
  static constexpr std::string_view kId = "alias-left-mapped";
  static constexpr std::string_view kSentence =
      "a zap or a slot's end left a frame mapped through an alias";
  static constexpr std::string_view kReason =
      "The host takes a deleted slot's memory back and gives it to others, "
      "and the guest still reads and writes it through that alias.";
  static constexpr std::string_view kSource =
      "KVM: kvm_arch_flush_shadow_memslot(), kvm_zap_gfn_range(), v6.16; "
      "broken by TDX RFC v1 41/67, November 2020";
  static constexpr std::string_view kDefects = "K1";
  static constexpr bool kSeesWalks = false;
  static bool applies(const Mmu&) { return true; }

  using Rule::Rule;

  // Once per operation.
  void removed(GfnRange range) override {
    for (const View& view : vm().alias.every_view(range)) {
      bool found = false;
      AliasedGfn at{};
      for_each_reached(vm().tree(view.root), view.range,
                       [&](AliasedRange leaf, Spte, Level) {
                         if (!found)
                           at = std::max(leaf.start, view.range.start);
                         found = true;
                       });
      if (!found) continue;
      return violate(
          {"its leaves are kept until the VM ends", gpa_of(at).value});
    }
  }
};

const RegisterRule<AliasLeftMapped> registered;

}  // namespace
}  // namespace mmu
