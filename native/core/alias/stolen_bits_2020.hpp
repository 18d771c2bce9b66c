// What the stolen-bits patches of 2020 and 2021 have in common: shadow pages
// keyed by frame and stolen bits, and a range flush in two calls.
//
// Source: "Add infrastructure for stolen GPA bits", TDX RFC v1 34/67
// (2020-11-16) and v2 41/69 (2021-07).
#pragma once

#include "core/engine.hpp"

namespace mmu {

class StolenBits2020 : public Alias {
 public:
  static constexpr std::array<std::string_view, 1> kBreaks{"flush"};

  using Alias::Alias;

  // An alias that carries bits never meets one of KVM's own slots.
  bool sees_internal_slot(AliasedGfn issued) const override {
    return space().alias_of(issued) == 0;
  }

  // Breaks law "flush" (B14): what the second call says is dropped, so when it
  // alone fails the alias with the bit stays cached.
  FlushPlan flush_plan(const FlushRequest& request) const override {
    if (space().bit_count > 1) return FlushPlan::everything();
    FlushPlan plan = FlushPlan::one(request.range);
    if (space().bit_count == 0) return plan;
    const std::uint64_t bits = space().offset_of(1);
    plan.call(
        {{request.range.start.value + bits}, {request.range.end.value + bits}});
    plan.heeded = 1;
    return plan;
  }
};

}  // namespace mmu
