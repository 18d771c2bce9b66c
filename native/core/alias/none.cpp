// Alias strategy "none": every gpa names its own page.
//
// There are no alias bits, whatever the preset: the canonical frame is the one
// that was issued. This is the baseline that every other strategy is held
// against.
#include "core/engine.hpp"

namespace mmu {
namespace {

// What hardware strips it strips for everybody.
AliasSpace without_aliases(const AliasSpace& preset) {
  AliasSpace space = preset;
  space.kind = preset.kind == PresetKind::kStripped ? PresetKind::kStripped
                                                    : PresetKind::kNone;
  space.execute_only = false;
  space.bit_count = 0;
  space.low_bit = kPageShift;
  return space;
}

class None final : public Alias {
 public:
  static constexpr std::string_view kName = "none";
  static constexpr std::string_view kSummary =
      "no alias bits: one table, every gpa names its own page";
  static constexpr AliasSupport kSupport{.needs_alias_bits = false};

  None(const AliasSpace& space, Flavour flavour)
      : Alias(without_aliases(space), flavour) {}

  // The defaults say the same; these are asked for every event.
  Gfn canonical(AliasedGfn issued) const override { return {issued.value}; }
  Gfn slot_gfn(AliasedGfn issued) const override { return {issued.value}; }
  AliasedGfn walk_gfn(AliasedGfn issued) const override { return issued; }
  RootId root_of(AliasedGfn) const override { return RootId::kDirect; }
  std::uint8_t permissions(AliasedGfn) const override { return 7; }
  Views views(GfnRange range) const override {
    Views views;
    views.add({.range = {{range.start.value}, {range.end.value}}});
    return views;
  }
};

const RegisterAlias<None> registered;

}  // namespace
}  // namespace mmu
