// Rule dirty-lost: a write that no dirty log will ever show. Live migration
// would leave the page behind.
#include "core/pml_log.hpp"
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class DirtyLost final : public Rule {
 public:
  static constexpr std::string_view kId = "dirty-lost";
  static constexpr std::string_view kSentence =
      "a write got through that is in no dirty log";
  static constexpr std::string_view kReason =
      "Live migration sends again what the log names and nothing else: a "
      "page written behind its back arrives with old contents, and the guest "
      "goes on with them.";
  static constexpr std::string_view kSource =
      "KVM: kvm_get_dirty_log_protect(), kvm_flush_remote_tlbs_memslot(), "
      "v6.16";
  static constexpr std::string_view kDefects = "D2 B14";
  static constexpr std::string_view kNeeds = "tlb";
  static constexpr bool kSeesWalks = false;
  static bool applies(const Mmu& mmu) { return mmu.tlbs != nullptr; }

  using Rule::Rule;

  // What the tables let through has been logged: W and the bit come together.
  void served(const Served& event) override {
    const AliasedGfn issued = event.access.issued;
    if (!event.from_tlb || (event.access.wanted & kAccessWrite) == 0) return;
    // Private memory is not logged, whoever reaches it.
    if (vm().alias.is_private(issued)) return;
    if ((event.pfn.value << kPageShift & vm().private_bit) != 0) return;
    const Gfn gfn = vm().alias.slot_gfn(issued);
    const Memslot* slot = vm().slots().find(gfn);
    if (slot == nullptr || !slot->dirty || slot->has_dirty(gfn)) return;
    if (is_in_pml(vm(), gfn)) return;
    violate({"a translation cached before the last round still lets it write",
             gpa_of(issued).value});
  }
};

const RegisterRule<DirtyLost> registered;

}  // namespace
}  // namespace mmu
