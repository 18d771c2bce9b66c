// Rule alias-left-mapped: a zap, a slot's end or a host unmap missed an alias.
#include <optional>

#include "core/reach.hpp"
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

class AliasLeftMapped final : public Rule {
 public:
  static constexpr std::string_view kId = "alias-left-mapped";
  static constexpr std::string_view kSentence =
      "a zap, a slot's end or a host unmap left a frame mapped through an "
      "alias";
  static constexpr std::string_view kReason =
      "The host takes the memory back and gives it to others, and the guest "
      "still reads and writes it through that alias.";
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
      if (is_left(view)) return;
    }
  }

  // Private memory may have no host page that could be taken; a twin's frames
  // carry the bit, and are told of by themselves.
  void unmapped(GfnRange range) override {
    for (const View& view : vm().alias.views(range)) {
      const bool is_hosts =
          view.root != RootId::kPrivate || vm().traits.private_is_host_memory;
      if (is_hosts && is_left(view)) return;
    }
  }

 private:
  bool is_left(const View& view) {
    std::optional<AliasedGfn> at;
    for_each_reached(vm().tree(view.root), view.range,
                     [&](AliasedRange leaf, Spte, Level) {
                       if (!at) at = std::max(leaf.start, view.range.start);
                     });
    if (!at) return false;
    violate({"its leaves are kept until the VM ends", gpa_of(*at).value});
    return true;
  }
};

const RegisterRule<AliasLeftMapped> registered;

}  // namespace
}  // namespace mmu
