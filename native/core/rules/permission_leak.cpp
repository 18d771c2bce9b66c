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
  static constexpr std::string_view kReason =
      "An execute-only alias that answers reads gives away code that was to "
      "be run and not seen. Where memory is private or shared, the guest's "
      "secrets go to the host, or the host's data is taken for the guest's "
      "own.";
  static constexpr std::string_view kSource =
      "KVM: kvm_mmu_faultin_pfn(), which picks the memory by "
      "fault->is_private, v6.16; RFC \"XOM for KVM guest userspace\", "
      "October 2019";
  static constexpr std::string_view kDefects = "D1a D1b";
  static bool applies(const Mmu& mmu) {
    return mmu.alias.space().execute_only || mmu.private_bit != 0;
  }

  using Rule::Rule;

  void served(const Served& event) override {
    const AliasedGfn issued = event.access.issued;
    const AliasSpace& space = vm().alias.space();
    if (space.execute_only && space.alias_of(issued) != 0 &&
        (event.access.wanted & ~kAccessFetch) != 0) {
      violate({"the alias may only be fetched from", gpa_of(issued).value});
    }
    if (vm().private_bit == 0) return;
    const bool is_private = (event.pfn.value << kPageShift & vm().private_bit);
    if (is_private == vm().alias.is_private(issued)) return;
    violate({is_private ? "a shared access reaches private memory"
                        : "a private access reaches shared memory",
             gpa_of(issued).value});
  }
};

const RegisterRule<PermissionLeak> registered;

}  // namespace
}  // namespace mmu
