// Alias strategy "mirror": direct bits, a mirror root, external tables.
//
// What was merged. Shared addresses walk the direct root at their full frame;
// private ones the mirror root, KVM's copy of the tables that the TDX module
// owns and is asked to change. Memory attributes say which of the two a page
// is; an access of the other kind goes to the VMM, so at most one alias of a
// page is ever mapped. TDX has no range flush, and this refuses one.
//
// KVM: kvm_gfn_direct_bits(), tdp_mmu_get_root_for_fault(), v6.14 to v6.16.
#include "core/engine.hpp"

namespace mmu {
namespace {

class Mirror final : public Alias {
 public:
  static constexpr std::string_view kName = "mirror";
  static constexpr std::string_view kSummary =
      "merged design: direct and mirror roots, attributes, external tables";
  static constexpr AliasSupport kSupport{
      .rmap = false, .attribute = false, .refuses_provider = true};

  using Alias::Alias;

  AliasTraits traits() const override {
    return {.on_slot_end = OnSlotEnd::kLeavesOnly,
            .ignores_mtrrs = true,
            .external_tables = true};
  }
};

const RegisterAlias<Mirror> registered;

}  // namespace
}  // namespace mmu
