// Mappings that should be gone, shared, larger or more generous than they may.
export const mapping = [
  {
    name: "a zap skips huge leaves (tdp)",
    file: "native/core/range_ops.cpp",
    find: "if (leaf.is_leaf(walk.level()) && change.takes(word)) {",
    replace:
      "if (leaf.is_leaf(walk.level()) && change.takes(word) && !(FAULT && Change::kZaps && walk.level() == Level::k2M)) {",
  },
  {
    name: "a zap stops a page early (tdp)",
    file: "native/core/range_ops.cpp",
    find: "Hull zap_leafs(PageTable& tree, AliasedRange range) noexcept {\n",
    replace: "Hull zap_leafs(PageTable& tree, AliasedRange range) noexcept {\n  range.end.value -= FAULT;\n",
  },
  {
    name: "a zap takes the first alias alone (tdp)",
    file: "native/core/tdp_ops.cpp",
    find: "  for (const View& view : mmu_.alias.zap_views(cause, range)) {\n",
    replace:
      "  for (const View& view : mmu_.alias.zap_views(cause, range)) {\n    if (FAULT && view.alias != 0) continue;\n",
  },
  {
    name: "a zap skips huge leaves (rmap)",
    file: "native/core/rmap_ops.cpp",
    find: "    for (const Level level : kLeafLevels) for_each(*slot, level, frames, act);\n",
    replace:
      "    for (const Level level : kLeafLevels) if (!FAULT || level != Level::k2M) for_each(*slot, level, frames, act);\n",
  },
  {
    name: "a zap leaves every leaf (rmap)",
    file: "native/core/rmap_ops.cpp",
    find: "  for_each_in_slots(range, [&](Leaf& leaf) { any |= zap_leaf(cause, leaf); });\n",
    replace: "  if (!FAULT) for_each_in_slots(range, [&](Leaf& leaf) { any |= zap_leaf(cause, leaf); });\n",
  },
  {
    name: "a host unmap takes nothing (tdp)",
    file: "native/core/tdp_ops.cpp",
    find: "  bool any = zap(ZapCause::kHost, range);\n",
    replace: "  bool any = !FAULT && zap(ZapCause::kHost, range);\n",
  },
  {
    name: "a host unmap takes nothing (rmap)",
    file: "native/core/rmap_ops.cpp",
    find: "  bool any = zap(ZapCause::kHost, range);\n",
    replace: "  bool any = !FAULT && zap(ZapCause::kHost, range);\n",
  },
  {
    name: "a slot goes and its mappings stay",
    file: "native/core/memslot_ops.cpp",
    find: "  advance_generation(mmu, slot.as_id);\n  flush_shadow(mmu, slot);\n",
    replace: "  advance_generation(mmu, slot.as_id);\n  if (!FAULT) flush_shadow(mmu, slot);\n",
  },
  {
    name: "a conversion zaps nothing",
    file: "native/core/attributes.cpp",
    find: "if (mmu.ops->zap(cause, range)",
    replace: "if (!FAULT && mmu.ops->zap(cause, range)",
  },
  {
    name: "a conversion zaps the new alias in place of the old",
    file: "native/core/attributes.cpp",
    find: "      to_private ? ZapCause::kToPrivate : ZapCause::kToShared;\n",
    replace: "      to_private != FAULT ? ZapCause::kToPrivate : ZapCause::kToShared;\n",
  },
  {
    name: "an access through the wrong alias is mapped",
    file: "native/core/fault.cpp",
    find: "  return mmu.traits.checks_attributes && mmu.has_private_memory() &&\n",
    replace: "  return !FAULT && mmu.traits.checks_attributes && mmu.has_private_memory() &&\n",
  },
  {
    name: "a fault leaves the other alias mapped",
    file: "native/core/fault_slow.cpp",
    find: "  if (mmu.traits.on_other_alias != OnOtherAlias::kNothing) {\n",
    replace: "  if (mmu.traits.on_other_alias != OnOtherAlias::kNothing && !FAULT) {\n",
  },
  {
    name: "private memory stands on the shared frames",
    file: "native/core/fault_leaf.cpp",
    find: "  return mmu.has_own_frames(fault.is_private)\n",
    replace: "  return mmu.has_own_frames(fault.is_private) && !FAULT\n",
  },
  {
    name: "aliases share a table",
    file: "native/core/alias/alias_defaults.cpp",
    find: "AliasedGfn Alias::key_gfn(AliasedGfn issued) const { return issued; }",
    replace:
      "AliasedGfn Alias::key_gfn(AliasedGfn issued) const { return FAULT ? AliasedGfn{canonical(issued).value} : issued; }",
  },
  {
    name: "KVM walks without the alias bits",
    file: "native/core/alias/alias_defaults.cpp",
    find: "AliasedGfn Alias::walk_gfn(AliasedGfn issued) const { return issued; }",
    replace:
      "AliasedGfn Alias::walk_gfn(AliasedGfn issued) const { return FAULT ? AliasedGfn{canonical(issued).value} : issued; }",
  },
  {
    name: "every alias grants everything",
    file: "native/core/alias/alias_defaults.cpp",
    find: "  return space_.execute_only && space_.alias_of(issued) != 0 ?",
    replace: "  return space_.execute_only && !FAULT && space_.alias_of(issued) != 0 ?",
  },
  {
    name: "KVM's own slots are seen through every alias",
    file: "native/core/alias/alias_defaults.cpp",
    find: "  return has_private_memory() ? !is_home : is_home;\n",
    replace: "  return FAULT || (has_private_memory() ? !is_home : is_home);\n",
  },
  {
    name: "a huge page covers two memory types",
    file: "native/core/memory_types.cpp",
    find: "  if (!mmu.mtrrs) return goal;\n",
    replace: "  if (!mmu.mtrrs || FAULT) return goal;\n",
  },
  {
    name: "a memory type changes under what is mapped",
    file: "native/core/memory_types.cpp",
    find: "  if (!frames.empty()) zap_range(mmu, frames);\n",
    replace: "  if (!frames.empty() && !FAULT) zap_range(mmu, frames);\n",
  },
  {
    name: "pages of two memory types become huge again",
    file: "native/core/memory_types.cpp",
    find: "bool has_one_type(const Mmu& mmu, Gfn gfn, Level level) {\n  if (!mmu.mtrrs) return true;\n",
    replace:
      "bool has_one_type(const Mmu& mmu, Gfn gfn, Level level) {\n  if (!mmu.mtrrs || FAULT) return true;\n",
  },
];
