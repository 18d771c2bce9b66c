// Rule internal-slot-aliased: one of KVM's own frames is mapped through two
// aliases. Only the guest's memory was to have them.
#include <array>

#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class InternalSlotAliased final : public Rule {
 public:
  static constexpr std::string_view kId = "internal-slot-aliased";
  static constexpr std::string_view kSentence =
      "a frame of KVM's own slots was mapped through two aliases";
  static constexpr std::string_view kReason =
      "KVM relies on what is in its TSS, identity map and APIC page and "
      "expects them at one address: a guest that finds them at a second one "
      "reaches past that.";
  static constexpr std::string_view kSource =
      "KVM: __x86_set_memory_region(), kvm_mmu_faultin_pfn(), v6.16; asked "
      "about in the review of TDX RFC v5 033/104, March 2022";
  static constexpr std::string_view kDefects = "D5";
  static constexpr std::string_view kNeeds = "internalSlots";
  static bool applies(const Mmu& mmu) { return mmu.config.internal_slots; }

  using Rule::Rule;

  void answered(const Answered& event) override {
    if (event.outcome != OutcomeCode::kFixed) return;
    const AliasedGfn issued = event.access.issued;
    const Memslot* slot = vm().slots().find(vm().alias.slot_gfn(issued));
    if (slot == nullptr || !slot->is_internal()) return;
    unsigned& aliases = aliases_of(event.canonical);
    const unsigned mine = 1u << vm().alias.space().alias_of(issued);
    const bool by_another = (aliases & ~mine) != 0;
    aliases |= mine;
    if (!by_another) return;
    violate({"the slot was looked up by the stripped frame alone",
             gpa_of(issued).value});
  }

  // In the order in which frames were first met, of which there are few.
  void add_memory(Digest& digest) const override {
    for (const Seen& seen : seen_) {
      digest.add(seen.gfn.value);
      digest.add(seen.aliases);
    }
  }

 private:
  struct Seen {
    Gfn gfn;
    unsigned aliases = 0;  // a bit for each through which a fault was fixed
  };

  // A frame's own place, or the first that is free.
  unsigned& aliases_of(Gfn gfn) {
    std::size_t at = 0;
    while (seen_[at].aliases != 0 && seen_[at].gfn != gfn) ++at;
    seen_[at].gfn = gfn;
    return seen_[at].aliases;
  }

  // Three slots of five frames in all.
  std::array<Seen, 5> seen_{};
};

const RegisterRule<InternalSlotAliased> registered;

}  // namespace
}  // namespace mmu
