// Rule permission-leak: hardware serves what the alias forbids, or serves it
// from the other kind of memory.
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class PermissionLeak final : public Rule {
 public:
  static constexpr std::string_view kId = "permission-leak";
  static constexpr std::string_view kSentence =
      "an alias let through what its rights or its kind of memory forbid";
  static bool applies(const Mmu& mmu) {
    return mmu.alias.space().execute_only || mmu.private_bit != 0;
  }

  using Rule::Rule;

  void served(const Served& event) override {
    const AliasedGfn issued = event.access.issued;
    const AliasSpace& space = vm().alias.space();
    if (space.execute_only && space.alias_of(issued) != 0 &&
        (event.access.wanted & ~kAccessFetch) != 0) {
      violate({"D1a D1b", "the alias may only be fetched from",
               gpa_of(issued).value});
    }
    if (vm().private_bit == 0) return;
    const bool is_private = (event.pfn.value << kPageShift & vm().private_bit);
    if (is_private == vm().alias.is_private(issued)) return;
    violate({"D1a D1b",
             is_private ? "a shared access reaches private memory"
                        : "a private access reaches shared memory",
             gpa_of(issued).value});
  }
};

const RegisterRule<PermissionLeak> registered;

}  // namespace
}  // namespace mmu
