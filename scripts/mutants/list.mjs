// The deliberate bugs, as data: `find` stands once in `file` and becomes
// `replace`.

export const mutants = [
  {
    name: "a slot ends one page early",
    file: "native/core/memslot.cpp",
    find: "if (!slot->range.contains(gfn)) return nullptr;",
    replace: "if (gfn.value + 1 >= slot->range.end.value) return nullptr;",
  },
  {
    name: "a mapped page is not marked dirty",
    file: "native/core/fault.cpp",
    find: "if (leaf.is_writable()) slot.mark_dirty(fault.gfn);",
    replace: "",
  },
  {
    name: "the short path forgets the dirty bit",
    file: "native/core/first_touch.hpp",
    find: "  if (leaf.is_writable()) slot->mark_dirty(gfn);\n",
    replace: "",
  },
  {
    name: "the fast path forgets the dirty bit",
    file: "native/core/fault.cpp",
    find: "  slot->mark_dirty(fault.gfn);\n",
    replace: "",
  },
  {
    name: "a zap skips 2M leaves",
    file: "native/core/range_ops.cpp",
    find: "  for_each_leaf(tree, range, [&](TableWalk& walk) {\n    tree.set_spte(walk.table(), walk.index(), Spte{});",
    replace:
      "  for_each_leaf(tree, range, [&](TableWalk& walk) {\n    if (walk.level() == Level::k2M) return;\n" +
      "    tree.set_spte(walk.table(), walk.index(), Spte{});",
  },
  {
    name: "a zap stops one page early",
    file: "native/core/range_ops.cpp",
    find: "void zap_leafs(PageTable& tree, AliasedRange range) noexcept {\n",
    replace: "void zap_leafs(PageTable& tree, AliasedRange range) noexcept {\n  range.end.value -= 1;\n",
  },
  {
    name: "a dirty round misses the last page of a word",
    file: "native/core/range_ops.cpp",
    find: "{first.value + width}};",
    replace: "{first.value + width - 1}};",
  },
  {
    name: "logging splits 1G pages and forgets 2M pages",
    file: "native/core/range_ops.cpp",
    find: "if (walk.level() == Level::k4K || !walk.spte().is_leaf(walk.level())) {",
    replace: "if (walk.level() <= Level::k2M || !walk.spte().is_leaf(walk.level())) {",
  },
  {
    name: "a huge page sticks out of its slot's end",
    file: "native/core/huge_page.hpp",
    find: "first + pages <= slot.range.end.value",
    replace: "first < slot.range.end.value",
  },
  {
    name: "a huge page over host memory that is not congruent",
    file: "native/core/huge_page.hpp",
    find: "(skew & (pages - 1)) == 0 && ",
    replace: "skew != 1 && ",
  },
  {
    name: "a delete takes one step of the generation",
    file: "native/core/memslot_ops.cpp",
    find: "  advance(mmu, as_id);\n  zap_all_fast(mmu);\n",
    replace: "  zap_all_fast(mmu);\n",
  },
  {
    name: "an MMIO entry outlives its generation",
    file: "native/core/fault.cpp",
    find: "return spte.is_mmio() &&\n",
    replace: "return spte.is_mmio() ||\n",
  },
];
