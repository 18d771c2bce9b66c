// Alias strategy "stolen-bits": the bits are part of a shadow page's key.
//
// Two aliases of a frame get different shadow pages below the root, so each
// has tables and leaves of its own, and one reverse map holds the leaves of
// both. There is one root, and the code knows nothing of private memory. The
// rmap flavour is the patch; tdp is what its message hints at for an MMU
// without reverse maps: go through the tables of each alias.
//
// Source: TDX RFC v1 34/67, 2020-11-16.
#include "core/alias/stolen_bits_2020.hpp"

namespace mmu {
namespace {

constexpr AliasDefect kDefects[] = {{"B14"}};

class StolenBits final : public StolenBits2020 {
 public:
  static constexpr std::string_view kName = "stolen-bits";
  static constexpr std::string_view kSummary =
      "shadow pages keyed by frame and bits: each alias has tables of its own";
  static constexpr AliasSupport kSupport{.defects = kDefects,
                                         .breaks = kBreaks};

  using StolenBits2020::StolenBits2020;

  RootId root_of(AliasedGfn) const override { return RootId::kDirect; }

  AliasTraits traits() const override {
    return {.checks_attributes = false,
            .claims_exclusion = false,
            .private_miss = PrivateMiss::kAsShared};
  }
};

const RegisterAlias<StolenBits> registered;

}  // namespace
}  // namespace mmu
