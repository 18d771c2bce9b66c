// Rule private-shared-coexist: a page is used while it is mapped as private
// and as shared. On TDX hardware the host loses.
#include "core/reach.hpp"
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class PrivateSharedCoexist final : public Rule {
 public:
  static constexpr std::string_view kId = "private-shared-coexist";
  static constexpr std::string_view kSentence =
      "a page is used while live as private and as shared, which the strategy "
      "rules out";
  static constexpr std::string_view kReason =
      "The page has two contents at once, and nobody knows which one the "
      "next access gets. A TDX host can be brought down by it: touching the "
      "wrong one is a machine check.";
  static constexpr std::string_view kSource =
      "KVM: kvm_arch_pre_set_memory_attributes(), which zaps before the "
      "attribute changes, v6.16";
  static constexpr std::string_view kDefects = "K1";
  static bool applies(const Mmu& mmu) {
    return mmu.has_private_memory() && mmu.traits.claims_exclusion;
  }

  using Rule::Rule;

  // An access that is served closes its page's conversion, if one was open.
  void served(const Served& event) override {
    const GfnRange page{event.canonical, {event.canonical.value + 1}};
    for (const View& view : vm().alias.every_view(page)) {
      if (!reach(vm(), view.range.start).is_leaf()) return;
    }
    violate({"the other alias was not zapped before this one was mapped",
             gpa_of(event.access.issued).value});
  }
};

const RegisterRule<PrivateSharedCoexist> registered;

}  // namespace
}  // namespace mmu
