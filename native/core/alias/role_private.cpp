// Alias strategy "role-private": one bit in the role of a table page.
//
// Private and shared have roots of their own and never share a table. A fault
// zaps the leaf of the page's other alias before it maps; private leaves are
// blocked, flushed and dropped one by one. The role has no room for a further
// alias bit, so there is only private and shared.
//
// Source: TDX RFC v3 36/59 and 57/59, 2021-11-24; slots that go take their
// private leaves along as from v6 of the series.
#include "core/engine.hpp"

namespace mmu {
namespace {

class RolePrivate final : public Alias {
 public:
  static constexpr std::string_view kName = "role-private";
  static constexpr std::string_view kSummary =
      "a role bit and two roots; a fault zaps the other alias";
  static constexpr AliasSupport kSupport{
      .rmap = false, .attribute = false, .refuses_provider = true};

  using Alias::Alias;

  AliasTraits traits() const override {
    return {.checks_attributes = false,
            .private_miss = PrivateMiss::kError,
            .on_other_alias = OnOtherAlias::kZapLeaf,
            .on_slot_end = OnSlotEnd::kZapPrivateEach,
            .private_is_host_memory = true,
            .small_leaves_only = true,
            .private_internal_is_error = true};
  }

  // A private access gets as far as the slot, and fails there.
  bool sees_internal_slot(AliasedGfn) const override { return true; }
};

const RegisterAlias<RolePrivate> registered;

}  // namespace
}  // namespace mmu
