// The right answers. Each alias has tables of its own; under presets that
// tell private from shared, a root of its own too.
#include "core/alias/alias_strategy.hpp"

namespace mmu {

bool Alias::acts_on(ZapCause cause, RootId root) {
  const bool is_private = root == RootId::kPrivate;
  switch (cause) {
    case ZapCause::kRange:
    case ZapCause::kSlot:
      return true;
    case ZapCause::kHost:
    case ZapCause::kToPrivate:
      return !is_private;
    case ZapCause::kToShared:
      return is_private;
  }
  return true;
}

Gfn Alias::canonical(AliasedGfn issued) const { return space_.strip(issued); }

Gfn Alias::slot_gfn(AliasedGfn issued) const { return canonical(issued); }

AliasedGfn Alias::walk_gfn(AliasedGfn issued) const { return issued; }

AliasedGfn Alias::key_gfn(AliasedGfn issued) const { return issued; }

RootId Alias::root_of(AliasedGfn issued) const {
  return is_private(issued) ? RootId::kPrivate : RootId::kDirect;
}

Views Alias::every_view(GfnRange range) const {
  Views views;
  for (unsigned alias = 0; alias < space_.alias_count(); ++alias) {
    const std::uint64_t offset = space_.offset_of(alias);
    const AliasedGfn start{range.start.value + offset};
    // Added, not or-ed: the end may be the first frame of the next alias.
    views.add({.root = root_of(start),
               .range = {start, {range.end.value + offset}},
               .offset = offset,
               .alias = static_cast<std::uint8_t>(alias),
               .is_private = has_private_memory() && alias == 0});
  }
  return views;
}

Views Alias::views(GfnRange range) const { return every_view(range); }

Views Alias::zap_views(ZapCause cause, GfnRange range) const {
  Views chosen;
  for (const View& view : views(range)) {
    if (acts_on(cause, view.root)) chosen.add(view);
  }
  return chosen;
}

std::uint8_t Alias::permissions(AliasedGfn issued) const {
  return space_.execute_only && space_.alias_of(issued) != 0 ? std::uint8_t{4}
                                                             : std::uint8_t{7};
}

bool Alias::sees_internal_slot(AliasedGfn issued) const {
  const bool is_home = space_.alias_of(issued) == 0;
  return has_private_memory() ? !is_home : is_home;
}

FlushPlan Alias::flush_plan(const FlushRequest& request) const {
  return FlushPlan::one(request.range);
}

std::uint64_t Alias::stolen_bits() const {
  return (space_.gfn_mask() | space_.stripped_mask) << kPageShift;
}

Gfn Alias::mtrr_gfn(AliasedGfn issued) const { return canonical(issued); }

}  // namespace mmu
