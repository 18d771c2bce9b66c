// Alias strategy "none": every gpa names its own page.
//
// There are no alias bits; the canonical frame is the one that was issued.
// This is the baseline that every other strategy is held against.
#include "core/engine.hpp"

namespace mmu {
namespace {

class None {
 public:
  static constexpr std::string_view kName = "none";
  static constexpr std::string_view kSummary =
      "no alias bits: one table, every gpa names its own page";

  constexpr Gfn canonical(AliasedGfn issued) const { return {issued.value}; }
  constexpr AliasedGfn walk_gfn(AliasedGfn issued) const { return issued; }
  constexpr RootId root_of(AliasedGfn) const { return RootId::kDirect; }
  constexpr Views views(GfnRange range) const {
    Views views;
    views.add({RootId::kDirect, {{range.start.value}, {range.end.value}}, 0});
    return views;
  }
};

const RegisterAlias<None> registered;

}  // namespace
}  // namespace mmu
