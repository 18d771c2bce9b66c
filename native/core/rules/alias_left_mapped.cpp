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
          {"K1", "its leaves are kept until the VM ends", gpa_of(at).value});
    }
  }
};

const RegisterRule<AliasLeftMapped> registered;

}  // namespace
}  // namespace mmu
