// Private and shared: attributes, conversions, blocked leaves, the owner of
// external tables, and what dirty logs have no business with.

export const privateMemory = [
  {
    name: "an access of the wrong kind is not sent to the VMM",
    file: "native/core/fault.cpp",
    find: "  if (is_mismatch(mmu, fault)) return OutcomeCode::kMemoryFault;\n",
    replace: "",
  },
  {
    name: "a conversion zaps the alias that stays",
    file: "native/core/alias/alias_defaults.cpp",
    find: "    case ZapCause::kToPrivate:\n      return !is_private;\n    case ZapCause::kToShared:\n",
    replace: "    case ZapCause::kToShared:\n      return !is_private;\n    case ZapCause::kToPrivate:\n",
  },
  {
    name: "a host unmap zaps private memory",
    file: "native/core/alias/alias_defaults.cpp",
    find: "      return true;\n    case ZapCause::kHost:\n",
    replace: "    case ZapCause::kHost:\n      return true;\n",
  },
  {
    name: "a conversion flushes nothing",
    file: "native/core/attributes.cpp",
    find: "  if (mmu.ops->zap(cause, range)) mmu.flush.range(range);\n",
    replace: "  mmu.ops->zap(cause, range);\n",
  },
  {
    name: "pages left mapped are counted whatever their attribute was",
    file: "native/core/attributes.cpp",
    find: "pages += to_private ? frames.size() - is : is;",
    replace: "pages += to_private ? frames.size() : is;",
  },
  {
    name: "private leaves are write-protected (tdp)",
    file: "native/core/leaf_run.hpp",
    find: "    return (word & (ept::kMmuPresent | keep_)) == ept::kMmuPresent;\n",
    replace: "    return (word & ept::kMmuPresent) != 0;\n",
  },
  {
    name: "a dirty round write-protects private leaves (tdp)",
    file: "native/core/range_ops.cpp",
    find: "if (is_meant && leaf.is_leaf(Level::k4K) && (leaf.raw & keep) == 0) {",
    replace: "if (is_meant && leaf.is_leaf(Level::k4K)) {",
  },
  {
    name: "private leaves are write-protected (rmap)",
    file: "native/core/rmap_log.cpp",
    find:
      "    if (leaf.spte.is_blocked() || is_private(leaf)) return;\n" +
      "    take(leaf, leaf.spte.without(bits));\n",
    replace: "    if (leaf.spte.is_blocked()) return;\n    take(leaf, leaf.spte.without(bits));\n",
  },
  {
    name: "logging looks into the private root",
    file: "native/core/tdp_ops.cpp",
    find: "if (!view.is_private) act(",
    replace: "act(",
  },
  {
    name: "a write to private memory marks the log",
    file: "native/core/fault_leaf.cpp",
    find: "if (leaf.is_writable() && !mmu.is_private(fault.root, leaf)) {",
    replace: "if (leaf.is_writable()) {",
  },
  {
    name: "a huge page covers private and shared",
    file: "native/core/leaf_level.hpp",
    find: "return !mmu.private_frames.meets({first, {first.value + pages_per(level)}});",
    replace: "return first.value + 1 != 0;",
  },
  {
    name: "a slot's end keeps the private leaves of precise",
    file: "native/core/memslot_ops.cpp",
    find: "if (what == OnSlotEnd::kForgetPrivate ||",
    replace: "if (what == OnSlotEnd::kForgetPrivate || what == OnSlotEnd::kZapPrivate ||",
  },
  {
    name: "a slot's end zaps the private leaves that stay",
    file: "native/core/memslot_ops.cpp",
    find: "if (what == OnSlotEnd::kForgetPrivate ||",
    replace: "if (!mmu.has_private_memory() ||",
  },
  {
    name: "a fault leaves the page's other alias mapped",
    file: "native/core/fault_slow.cpp",
    find: "if (mmu.traits.on_other_alias != OnOtherAlias::kNothing) {",
    replace: "if (mmu.traits.on_other_alias == OnOtherAlias::kZapByRmap) {",
  },
  {
    name: "a private leaf is dropped without a flush of its own",
    file: "native/core/tdp_ops.cpp",
    find:
      "      mmu_.flush.range(\n" +
      "          {{page.start.value - view.offset}, {page.end.value - view.offset}});\n",
    replace: "",
  },
  {
    name: "a host unmap drops a private leaf instead of blocking it",
    file: "native/core/tdp_ops.cpp",
    find: "any |= took(view, block_leafs(",
    replace: "any |= took(view, zap_leafs(",
  },
  {
    name: "a blocked leaf leaves its reverse map",
    file: "native/core/rmap_ops.cpp",
    find: "spte.is_leaf(level) || (level == Level::k4K && spte.is_blocked())",
    replace: "spte.is_leaf(level)",
  },
  {
    name: "a leaf that a shared fault blocked stays blocked",
    file: "native/core/rmap_ops.cpp",
    find: "  if (other->root != RootId::kPrivate) return;\n",
    replace: "  if (other->root == RootId::kPrivate) return;\n",
  },
  {
    name: "an unblocked leaf counts as a fixed fault",
    file: "native/core/fault.cpp",
    find: "if (code == OutcomeCode::kFixed) ++stats.pf_fixed;",
    replace: "if (code == OutcomeCode::kFixed || code == OutcomeCode::kUnzapped) ++stats.pf_fixed;",
  },
  {
    name: "a busy owner of external tables leaves the entry in",
    file: "native/core/tdp_map.cpp",
    find: "    fault.level = Level::kNone;\n    return answer;\n",
    replace:
      "    tree.set_spte(table, index, leaf_for(mmu_, fault, slot, level));\n" +
      "    fault.level = Level::kNone;\n    return answer;\n",
  },
  {
    name: "a busy owner of external tables leaves the link in",
    file: "native/core/tdp_map.cpp",
    find:
      "    if (external != OutcomeCode::kFixed) return external;\n" +
      "    table = tree.link_child(table, index);\n",
    replace:
      "    table = tree.link_child(table, index);\n" +
      "    if (external != OutcomeCode::kFixed) return external;\n",
  },
];
