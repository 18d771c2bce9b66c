// Alias strategy "stolen-bits-tdx": stolen bits with TDX's layer on top.
//
// A second root for private addresses, private leaves that are blocked before
// they are dropped, and a fault that first zaps the page's other alias. When a
// slot goes, only shadow pages of the shared root go with it: the private
// leaves wait for the end of the VM and are mapped until then (K1).
//
// Source: "Frame in support for private/inaccessible shadow pages", TDX RFC v1
// 41/67, 2020-11-16.
#include "core/alias/stolen_bits_2020.hpp"

namespace mmu {
namespace {

constexpr AliasDefect kDefects[] = {{"B14", false, true}, {"K1", false, true}};

class StolenBitsTdx final : public StolenBits2020 {
 public:
  static constexpr std::string_view kName = "stolen-bits-tdx";
  static constexpr std::string_view kSummary =
      "stolen-bits plus a private root; a fault zaps the other alias";
  static constexpr AliasSupport kSupport{
      .tdp = false, .attribute = false, .defects = kDefects, .breaks = kBreaks};

  using StolenBits2020::StolenBits2020;

  AliasTraits traits() const override {
    return {.checks_attributes = false,
            .private_miss = PrivateMiss::kError,
            .on_other_alias = OnOtherAlias::kZapByRmap,
            .on_slot_end = OnSlotEnd::kForgetPrivate,
            .private_is_host_memory = true,
            .small_leaves_only = true};
  }
};

const RegisterAlias<StolenBitsTdx> registered;

}  // namespace
}  // namespace mmu
