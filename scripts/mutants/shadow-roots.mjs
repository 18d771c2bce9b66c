// Roots of a KVM that shadows the guest's tables.

const ROOTS = "native/core/shadow/shadow_roots.cpp";

export const shadowRoots = [
  {
    name: "the table of a root that is gone stays watched",
    file: ROOTS,
    find: "  if (unwatches) untrack_writes(mmu_, frame(at.gfn));\n",
    replace: "",
  },
  {
    name: "nobody is told of a root that was zapped",
    file: ROOTS,
    find: "  if (!is_freed) tell_vcpus();\n",
    replace: "",
  },
  {
    name: "a slot's end takes direct roots along",
    file: ROOTS,
    find: "is_in && at.has_gptes()",
    replace: "is_in",
  },
  {
    name: "finding a root forgives no write",
    file: ROOTS,
    find: "  pages_[page].writes = 0;\n",
    replace: "",
  },
  {
    name: "recycling takes roots that are loaded",
    file: ROOTS,
    find: "  while (page != kNoShadow && pages_[page].roots != 0)\n    page = pages_.after(page);\n",
    replace: "",
  },
  {
    name: "a root may stand in a slot of KVM's own",
    file: ROOTS,
    find: "slot != nullptr && !slot->is_internal()",
    replace: "slot != nullptr",
  },
  {
    name: "a root that nobody has any more is freed",
    file: ROOTS,
    find: "is_last && pages_[page].is_invalid()",
    replace: "is_last",
  },
  {
    name: "roots are recycled before all tables",
    file: "native/core/rmap_roots.cpp",
    find: "roots_->born(idle) < mmu_.pool.header(table).serial",
    replace: "mmu_.pool.header(table).serial != 0",
  },
  {
    name: "a shadowing kernel has room for roots before it has a slot",
    file: "native/core/rmap_roots.cpp",
    find: "  max_pages_ = 0;\n",
    replace: "",
  },
  {
    name: "registers that stay what they were drop the roots",
    file: "native/core/guest/guest_vcpu.cpp",
    find: "  if (!keeps_roots) reset_mmu(mmu, vcpu);\n",
    replace: "  reset_mmu(mmu, vcpu);\n",
  },
  {
    name: "registers are compared as they were taken",
    file: "native/core/guest/guest_vcpu.cpp",
    find: "are_control_registers_alike(asked, of.registers)",
    replace: "are_control_registers_alike(as_taken(asked, kernel), of.registers)",
  },
  {
    name: "a zap of all roots flushes nothing",
    file: "native/core/rmap_ops.cpp",
    find: "const bool freed = roots_ && roots_->zap_all();\n",
    replace: "if (roots_) roots_->zap_all();\n  const bool freed = false;\n",
  },
];
