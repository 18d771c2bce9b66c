// Rule alias-stuck: KVM says go on, hardware faults again, for ever.
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class AliasStuck final : public Rule {
 public:
  static constexpr std::string_view kId = "alias-stuck";
  static constexpr std::string_view kSentence =
      "an access through an alias faults again for ever";
  static constexpr std::string_view kReason =
      "The vCPU repeats one instruction for ever, each time with a fault "
      "that KVM takes for settled: the guest hangs there and the host spends "
      "a CPU on it.";
  static constexpr std::string_view kSource =
      "KVM: kvm_tdp_mmu_map() answering RET_PF_SPURIOUS, v6.16; broken by "
      "TDX RFC v5 033/104, March 2022";
  static constexpr std::string_view kDefects = "D1a";
  static constexpr bool kSeesWalks = false;
  static bool applies(const Mmu&) { return true; }

  using Rule::Rule;

  void answered(const Answered& event) override {
    if (event.outcome != OutcomeCode::kStuck) return;
    violate(
        {"KVM installs the leaf at the frame without the alias bit, and "
         "hardware walks with it",
         gpa_of(event.access.issued).value});
  }
};

const RegisterRule<AliasStuck> registered;

}  // namespace
}  // namespace mmu
