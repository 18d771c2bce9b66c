// Slots, leaves and dirty logs, aliases or not.

export const mapping = [
  {
    name: "a slot ends one page early",
    file: "native/core/slot_index.hpp",
    find: "return gfn.value - entry.start < entry.frames ? entry.slot : nullptr;",
    replace: "return gfn.value - entry.start + 1 < entry.frames ? entry.slot : nullptr;",
  },
  {
    name: "a mapped page is not marked dirty",
    file: "native/core/tdp_map.cpp",
    find: "  mark_dirty(mmu_, fault, slot, leaf);\n",
    replace: "",
  },
  {
    name: "the short path forgets the dirty bit",
    file: "native/core/first_touch.hpp",
    find: "  if (leaf.is_writable()) slot->mark_dirty(gfn);\n",
    replace: "",
  },
  {
    name: "a run of first touches forgets the dirty bit",
    file: "native/core/short_run.hpp",
    find: "      slot.mark_dirty(frame);\n",
    replace: "",
  },
  {
    name: "a run of first touches maps what its slot does not allow",
    file: "native/core/short_run.hpp",
    find: "return unlike == 0 && slot_.grants(access);",
    replace: "return unlike == 0;",
  },
  {
    name: "the last leaf of a stripe keeps its rights",
    file: "native/core/leaf_run.hpp",
    find: "for (; from < end; ++from) entries_[from] = change_.now(",
    replace: "for (; from + 1 < end; ++from) entries_[from] = change_.now(",
  },
  {
    name: "a slot is not found at its first frame",
    file: "native/core/slot_index.hpp",
    find: "    if (entries_[at].start > gfn.value) [[unlikely]] {",
    replace: "    if (entries_[at].start >= gfn.value) [[unlikely]] {",
  },
  {
    name: "the fast path forgets the dirty bit",
    file: "native/core/fault_fast.cpp",
    find: "  if (writes && slot != nullptr) mark_dirty(mmu, fault, *slot, fixed);\n",
    replace: "",
  },
  {
    name: "the short path for a lost W forgets the dirty bit",
    file: "native/core/write_fix.hpp",
    find: "  slot->mark_dirty(gfn);\n",
    replace: "",
  },
  {
    name: "the short path for a lost W is no fast fault",
    file: "native/core/write_fix.hpp",
    find: "  ++stats.pf_fast;\n",
    replace: "",
  },
  {
    name: "a zap skips 2M leaves",
    file: "native/core/range_ops.cpp",
    find: "if (leaf.is_leaf(walk.level()) && change.takes(word)) {",
    replace: "if (leaf.is_leaf(walk.level()) && walk.level() != Level::k2M && change.takes(word)) {",
  },
  {
    name: "a zap stops one page early",
    file: "native/core/range_ops.cpp",
    find: "Hull zap_leafs(PageTable& tree, AliasedRange range) noexcept {\n",
    replace: "Hull zap_leafs(PageTable& tree, AliasedRange range) noexcept {\n  range.end.value -= 1;\n",
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
    find: "  advance_generation(mmu, slot.as_id);\n  flush_shadow(mmu, slot);\n",
    replace: "  flush_shadow(mmu, slot);\n",
  },
  {
    name: "an MMIO entry outlives its generation",
    file: "native/core/fault.cpp",
    find: "  const bool current = mmio_generation(spte) == mmu.slots().mmio_generation();\n",
    replace: "  const bool current = mmio_generation(spte) <= mmu.slots().mmio_generation();\n",
  },
];
