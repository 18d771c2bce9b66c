// Dirty logs that forget, or do not get to know.
export const dirty = [
  {
    name: "a mapped page is not marked dirty (tdp)",
    file: "native/core/tdp_map.cpp",
    find: "  mark_dirty(mmu_, fault, slot, leaf);\n",
    replace: "  if (!FAULT) mark_dirty(mmu_, fault, slot, leaf);\n",
  },
  {
    name: "a mapped page is not marked dirty (rmap)",
    file: "native/core/rmap_map.cpp",
    find: "  mark_dirty(mmu_, fault, slot, leaf);\n",
    replace: "  if (!FAULT) mark_dirty(mmu_, fault, slot, leaf);\n",
  },
  {
    name: "the fast path forgets the dirty bit",
    file: "native/core/fault_fast.cpp",
    find: "  if (writes && slot != nullptr) mark_dirty(mmu, fault, *slot, fixed);\n",
    replace: "  if (writes && slot != nullptr && !FAULT) mark_dirty(mmu, fault, *slot, fixed);\n",
  },
  {
    name: "the page beside is marked dirty",
    file: "native/core/dirty_mark.hpp",
    find: "    return slot.mark_dirty(gfn);\n",
    replace: "    return slot.mark_dirty(Gfn{gfn.value ^ FAULT});\n",
  },
  {
    name: "a round leaves what it read writable (tdp)",
    file: "native/core/tdp_ops.cpp",
    find: "    took(view, take_bits_masked(tree, view.range.start, mask, bits,\n",
    replace: "    took(view, take_bits_masked(tree, view.range.start, mask, FAULT ? 0 : bits,\n",
  },
  {
    name: "a round leaves what it read writable (rmap)",
    file: "native/core/rmap_log.cpp",
    find: "take_logged(slot, Level::k4K, {gfn, {gfn.value + 1}}, bits);",
    replace: "take_logged(slot, Level::k4K, {gfn, {gfn.value + 1}}, FAULT ? 0 : bits);",
  },
  {
    name: "a round forgets the last page of a word (tdp)",
    file: "native/core/range_ops.cpp",
    find: "{first.value + width}};",
    replace: "{first.value + width - FAULT}};",
  },
  {
    name: "a round forgets the last page of a word (rmap)",
    file: "native/core/rmap_log.cpp",
    find: "  for (; mask != 0; mask &= mask - 1) {\n",
    replace:
      "  if (FAULT) mask &= ~(std::uint64_t{1} << (63 - std::countl_zero(mask)));\n  for (; mask != 0; mask &= mask - 1) {\n",
  },
  {
    name: "a round protects the first alias alone (tdp)",
    file: "native/core/tdp_ops.cpp",
    find: "    if (!view.is_private) act(mmu_.tree(view.root), view);\n",
    replace: "    if (!view.is_private && !(FAULT && view.alias != 0)) act(mmu_.tree(view.root), view);\n",
  },
  {
    name: "a log begins with everything writable (tdp)",
    file: "native/core/tdp_ops.cpp",
    find: "      took(view, take_bits(tree, view.range, ept::kWrite, mmu_.private_bit));\n      return;\n",
    replace:
      "      if (!FAULT) took(view, take_bits(tree, view.range, ept::kWrite, mmu_.private_bit));\n      return;\n",
  },
  {
    name: "a log begins with everything writable (rmap)",
    file: "native/core/rmap_log.cpp",
    find: "                level == Level::k4K ? of_small : ept::kWrite);\n",
    replace: "                FAULT ? 0 : level == Level::k4K ? of_small : ept::kWrite);\n",
  },
  {
    name: "a log begins with huge pages writable (rmap)",
    file: "native/core/rmap_log.cpp",
    find: "level == Level::k4K ? of_small : ept::kWrite);\n",
    replace: "level == Level::k4K ? of_small : FAULT ? 0 : ept::kWrite);\n",
  },
  {
    name: "a log begins with Dirty set where hardware logs (tdp)",
    file: "native/core/tdp_ops.cpp",
    find: "    took(view, take_bits(tree, view.range, ept::kDirty, mmu_.private_bit));\n",
    replace: "    if (!FAULT) took(view, take_bits(tree, view.range, ept::kDirty, mmu_.private_bit));\n",
  },
  {
    name: "hardware's log loses a page",
    file: "native/core/pml_log.cpp",
    find: "  mmu.pml->append(vcpu, issued);\n",
    replace: "  if (!FAULT) mmu.pml->append(vcpu, issued);\n",
  },
  {
    name: "hardware's log is thrown away, not read",
    file: "native/core/pml_log.cpp",
    find: "    if (slot != nullptr) mark_page_dirty(mmu, *slot, gfn, vcpu);\n",
    replace: "    if (slot != nullptr && !FAULT) mark_page_dirty(mmu, *slot, gfn, vcpu);\n",
  },
  {
    name: "the fast path makes a huge page of a logged slot writable",
    file: "native/core/fault_fast.cpp",
    find: "if (must_split || !allows(",
    replace: "if ((must_split && !FAULT) || !allows(",
  },
  {
    name: "a logged slot is mapped with huge pages",
    file: "native/core/leaf_level.hpp",
    find: "return slot.is_logged() ? Level::k4K : mapping_level(mmu, slot, gfn);",
    replace: "return slot.is_logged() && !FAULT ? Level::k4K : mapping_level(mmu, slot, gfn);",
  },
  {
    name: "a prefetch enters a logged slot (rmap)",
    file: "native/core/rmap_map.cpp",
    find: " || slot->is_logged()) return false;",
    replace: " || (slot->is_logged() && !FAULT)) return false;",
  },
];
