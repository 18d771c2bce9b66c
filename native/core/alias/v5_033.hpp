// What the two readings of one patch have in common: tables shared by all
// aliases.
//
// The patch took the stolen bits out of the fault's frame and forgot to put
// them anywhere else: neither a shadow page nor its role knows them. The TDP
// MMU walks by the stripped frame, so a leaf always lands at alias 0 (D1a);
// the legacy MMU walks by the address and finds its shadow pages by the
// stripped frame, so two root entries lead to one child (D1b). The check of
// memory types lost its stripping (D4), KVM's own slots their exclusion (D5).
//
// Source: "[RFC PATCH v5 033/104] KVM: x86: Add infrastructure for stolen GPA
// bits", 2022-03-04, and its review.
#pragma once

#include "core/engine.hpp"

namespace mmu {

class V5Patch033 : public Alias {
 public:
  using Alias::Alias;

  // Breaks law "progress" (D1a): hardware walks with the bit.
  AliasedGfn walk_gfn(AliasedGfn issued) const override {
    return flavour() == Flavour::kTdp ? home(issued) : issued;
  }

  // Breaks law "sharing" (D1b).
  AliasedGfn key_gfn(AliasedGfn issued) const override { return home(issued); }

  RootId root_of(AliasedGfn) const override { return RootId::kDirect; }

  // Breaks law "views": an alias' own frames are nobody's.
  Views views(GfnRange range) const override {
    Views views;
    views.add({.root = RootId::kDirect,
               .range = {{range.start.value}, {range.end.value}}});
    return views;
  }

  // A shared leaf cannot be told apart, so it has alias 0's rights.
  std::uint8_t permissions(AliasedGfn) const override { return 7; }

  // Breaks law "internal" (D5).
  bool sees_internal_slot(AliasedGfn) const override { return true; }

  // Breaks law "mtrr" (D4).
  Gfn mtrr_gfn(AliasedGfn issued) const override { return {issued.value}; }

  AliasTraits traits() const override {
    return {.checks_attributes = false,
            .claims_exclusion = false,
            .private_miss = PrivateMiss::kAsShared};
  }

 private:
  AliasedGfn home(AliasedGfn issued) const {
    return {space().strip(issued).value};
  }
};

}  // namespace mmu
