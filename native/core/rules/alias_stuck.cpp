// Rule alias-stuck: KVM says go on, hardware faults again, for ever.
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class AliasStuck final : public Rule {
 public:
  static constexpr std::string_view kId = "alias-stuck";
  static constexpr std::string_view kSentence =
      "an access through an alias faults again for ever";
  static bool applies(const Mmu&) { return true; }

  using Rule::Rule;

  void answered(const Answered& event) override {
    if (event.outcome != OutcomeCode::kStuck) return;
    violate({"D1a",
             "KVM installs the leaf at the frame without the alias bit, and "
             "hardware walks with it",
             gpa_of(event.access.issued).value});
  }
};

const RegisterRule<AliasStuck> registered;

}  // namespace
}  // namespace mmu
