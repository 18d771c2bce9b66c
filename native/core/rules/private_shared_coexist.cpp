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
    violate({"K1", "the other alias was not zapped before this one was mapped",
             gpa_of(event.access.issued).value});
  }
};

const RegisterRule<PrivateSharedCoexist> registered;

}  // namespace
}  // namespace mmu
