// The rmap flavour: prefetch, shadow pages and their hash, reverse maps.

export const legacy = [
  {
    name: "a prefetch is of nine",
    file: "native/core/rmap_map.cpp",
    find:
      "  for (unsigned i = start; i <= start + kPrefetch; ++i) {\n" +
      "    const bool in_run =\n        i < start + kPrefetch && ",
    replace:
      "  const unsigned end = std::min(start + kPrefetch + 1, kEntries);\n" +
      "  for (unsigned i = start; i <= end; ++i) {\n    const bool in_run =\n        i < end && ",
  },
  {
    name: "a prefetch enters a logged slot",
    file: "native/core/rmap_map.cpp",
    find: " || slot->is_logged()) return false;",
    replace: ") return false;",
  },
  {
    name: "a prefetch runs past its slot's end",
    file: "native/core/rmap_map.cpp",
    find: "  if (at.gfn.value + (end - first) > slot->range.end.value) return false;\n",
    replace: "",
  },
  {
    name: "a prefetched leaf is accessed",
    file: "native/core/rmap_map.cpp",
    find: "const Spte alike = mark_unused(leaf_for(mmu_, fault, slot, Level::k4K));",
    replace: "const Spte alike = leaf_for(mmu_, fault, slot, Level::k4K);",
  },
  {
    name: "a prefetch maps a page beside its other alias",
    file: "native/core/rmap_map.cpp",
    find: "if (view.root != fault.root && (other.is_present() || other.is_blocked())) {",
    replace: "if (view.root != fault.root && other.is_present() && other.is_blocked()) {",
  },
  {
    name: "a prefetch maps a private page as shared",
    file: "native/core/rmap_map.cpp",
    find: "  if (mmu_.private_frames.contains(fault.canonical)) return false;\n",
    replace: "",
  },
  {
    name: "a private fault prefetches",
    file: "native/core/rmap_map.cpp",
    find: " && !fault.is_private)\n    prefetch(",
    replace: ")\n    prefetch(",
  },
  {
    name: "a huge leaf gives way to a table without a flush",
    file: "native/core/rmap_map.cpp",
    find: "  if (was_leaf) drop_and_flush(fault, table.level);\n",
    replace: "",
  },
  {
    name: "a leaf of another page is replaced without a flush",
    file: "native/core/rmap_map.cpp",
    find: "  if (in_the_way) drop_and_flush(fault, level);\n",
    replace: "",
  },
  {
    name: "a mapped page is not marked dirty (rmap)",
    file: "native/core/rmap_map.cpp",
    find: "  mark_dirty(mmu_, fault, slot, leaf);\n",
    replace: "",
  },
  {
    name: "a page that is unlinked keeps its parent",
    file: "native/core/rmap_ops.cpp",
    find: "    parents_.remove(link::page_id(old.raw), here);\n",
    replace: "",
  },
  {
    name: "zap-all leaves the hash as it was",
    file: "native/core/rmap_ops.cpp",
    find: "  hash_.remove_root(kRoot, [&](const ShadowKey& key, PageId id) {\n",
    replace: "  hash_.for_each([&](const ShadowKey& key, PageId id) {\n    if (key.root != kRoot) return;\n",
  },
  {
    name: "zap-all does not count the root",
    file: "native/core/rmap_ops.cpp",
    find: "  mmu_.stats.mmu_shadow_zapped += pages;\n",
    replace: "  mmu_.stats.mmu_shadow_zapped += pages - (pages != 0);\n",
  },
  {
    name: "zap-all flushes for a bare root",
    file: "native/core/rmap_ops.cpp",
    find: "if (pages > 1 || freed) mmu_.flush.all();",
    replace: "if (pages > 0 || freed) mmu_.flush.all();",
  },
  {
    name: "the root of the rmap flavour keeps its incarnation",
    file: "native/core/rmap_ops.cpp",
    find: "  ++mmu_.incarnation(RootId::kDirect);\n",
    replace: "",
    equivalent:
      "the commit flushes everything unless the root was bare, and under a bare root nothing was ever cached",
  },
  {
    name: "the longest reverse map counts the leaf that was added",
    file: "native/core/rmap_ops.cpp",
    find: "std::max(longest, rmap_before_)",
    replace: "std::max(longest, rmap_before_ + 1)",
  },
  {
    name: "a zap skips 1G leaves (rmap)",
    file: "native/core/rmap_ops.hpp",
    find: "{Level::k4K, Level::k2M, Level::k1G}",
    replace: "{Level::k4K, Level::k2M}",
  },
  {
    name: "the end of a log flushes leaf by leaf without a provider",
    file: "native/core/rmap_log.cpp",
    find: "        if (!mmu_.flush.has_range_hook()) continue;\n",
    replace: "",
  },
];
