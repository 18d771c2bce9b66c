// Alias strategy "duplicate-slots": a memslot for each alias.
//
// The first answer to execute-only memory. KVM's MMU knows no alias: userspace
// maps the same host memory a second time, at the gpa with the bit set, and
// both slots live their own lives. Correct by construction; the price is twice
// the slots, twice the reverse maps, and every operation done twice. Here the
// engine makes the twins and keeps them in step.
//
// Source: "XOM for KVM guest userspace", RFC of 2019-10-03, on Linux 5.3.
#include "core/engine.hpp"

namespace mmu {
namespace {

class DuplicateSlots final : public Alias {
 public:
  static constexpr std::string_view kName = "duplicate-slots";
  static constexpr std::string_view kSummary =
      "a memslot for each alias, over the same host memory";
  static constexpr AliasSupport kSupport{.private_shared = false};

  using Alias::Alias;

  // A slot's frames carry the bit: they are simply other frames.
  Gfn slot_gfn(AliasedGfn issued) const override { return {issued.value}; }

  // Beyond what MTRRs can say, where a frame carries the bit.
  Gfn mtrr_gfn(AliasedGfn issued) const override { return slot_gfn(issued); }

  Views views(GfnRange range) const override {
    const AliasedGfn start{range.start.value};
    Views views;
    views.add({.root = RootId::kDirect,
               .range = {start, {range.end.value}},
               .alias = static_cast<std::uint8_t>(space().alias_of(start))});
    return views;
  }

  AliasTraits traits() const override { return {.twin_slots = true}; }
};

const RegisterAlias<DuplicateSlots> registered;

}  // namespace
}  // namespace mmu
