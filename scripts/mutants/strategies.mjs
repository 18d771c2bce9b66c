// The strategies' answers: which frames a flush names, which pages aliases
// share, what an alias may do, and the twins of duplicate-slots.

export const strategies = [
  {
    name: "stolen-bits flushes without a second call",
    file: "native/core/alias/stolen_bits_2020.hpp",
    find: "    if (space().bit_count > 1) return FlushPlan::everything();\n",
    replace:
      "    if (space().bit_count > 1) return FlushPlan::everything();\n" +
      "    if (space().bit_count == 1) return FlushPlan::one(request.range);\n",
  },
  {
    name: "stolen-bits heeds what its second call says",
    file: "native/core/alias/stolen_bits_2020.hpp",
    find: "    plan.heeded = 1;\n",
    replace: "",
  },
  {
    name: "stolen-bits shows KVM's own slots to an alias with bits",
    file: "native/core/alias/stolen_bits_2020.hpp",
    find: "    return space().alias_of(issued) == 0;\n",
    replace: "    return space().alias_of(issued) < 2;\n",
  },
  {
    name: "v5 flushes the range that it should have stripped",
    file: "native/core/alias/v5_as_posted.cpp",
    find: ": FlushPlan::one(request.range);",
    replace: ": FlushPlan::one(request.range, space().offset_of(1) & space().gfn_mask());",
  },
  {
    name: "v5 asks the provider for two bits too",
    file: "native/core/alias/v5_as_posted.cpp",
    find: "space().bit_count > 1 ?",
    replace: "space().bit_count > 2 ?",
  },
  {
    name: "v5 as reviewed does not fall through to the full flush",
    file: "native/core/alias/v5_as_reviewed.cpp",
    find: "    plan.full = space().bit_count != 0;\n",
    replace: "",
  },
  {
    name: "v5 keys a shadow page with the bit",
    file: "native/core/alias/v5_033.hpp",
    find: "AliasedGfn key_gfn(AliasedGfn issued) const override { return home(issued); }",
    replace: "AliasedGfn key_gfn(AliasedGfn issued) const override { return issued; }",
  },
  {
    name: "v5 walks with the bit in the tdp flavour",
    file: "native/core/alias/v5_033.hpp",
    find: "flavour() == Flavour::kTdp ? home(issued) : issued",
    replace: "issued",
  },
  {
    name: "whoever keeps aliases apart keys a shadow page without the bit",
    file: "native/core/alias/alias_defaults.cpp",
    find: "AliasedGfn Alias::key_gfn(AliasedGfn issued) const { return issued; }",
    replace: "AliasedGfn Alias::key_gfn(AliasedGfn issued) const { return {canonical(issued).value}; }",
  },
  {
    name: "precise forgets the last alias",
    file: "native/core/alias/precise.cpp",
    find: "alias < space().alias_count(); ++alias",
    replace: "alias == 0 || alias + 1 < space().alias_count(); ++alias",
  },
  {
    name: "precise flushes one page less than it took",
    file: "native/core/alias/precise.cpp",
    find: "plan.call(taken.range);",
    replace:
      "plan.call({taken.range.start, {taken.range.end.value - std::uint64_t{taken.range.size() > 1}}});",
  },
  {
    name: "precise calls for every alias, whatever was taken",
    file: "native/core/alias/precise.cpp",
    find: "if (!taken.empty()) plan.call(taken.range);",
    replace: "plan.call(taken.range);",
  },
  {
    name: "an execute-only leaf can be read",
    file: "native/core/fault_leaf.cpp",
    find: ".access = fault.permissions,",
    replace: ".access = fault.permissions | ept::kRead,",
  },
  {
    name: "KVM maps for an alias what the alias may not do",
    file: "native/core/fault.cpp",
    find: "if ((fault.access & ~fault.permissions) != 0) {",
    replace: "if ((fault.access & ~fault.permissions) == 8) {",
  },
  {
    name: "hardware keeps the C-bit",
    file: "native/core/replay_loop.hpp",
    find: " &\n                    ~strategy.space().stripped_mask)",
    replace: ")",
  },
  {
    name: "a twin's log starts without write protection",
    file: "native/core/dirty_log.cpp",
    find: "  mmu.ops->arm(slot);\n",
    replace: "  if (!slot.is_twin) mmu.ops->arm(slot);\n",
  },
  {
    name: "a twin's dirty pages are in no log",
    file: "native/core/dirty_log.cpp",
    find: "mask |= twin->dirty->words()[word];",
    replace: "mask |= twin->dirty->words()[word] & 0;",
  },
  {
    name: "a dirty round leaves the twins' bits set",
    file: "native/core/dirty_log.cpp",
    find: "    take_one(mmu, one, [](std::size_t, std::uint64_t) {});\n",
    replace: "    if (!one.is_twin) take_one(mmu, one, [](std::size_t, std::uint64_t) {});\n",
  },
  {
    name: "a zap leaves the twins alone",
    file: "native/core/vm_events.cpp",
    find: "mmu.traits.twin_slots ? mmu.alias.space().alias_count() : 1;",
    replace: "mmu.traits.twin_slots ? 1 : 1;",
  },
];
