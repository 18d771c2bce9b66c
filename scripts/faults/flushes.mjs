// Flushes that are dropped, late, too narrow, or not for everybody.
const tlbFlush = "native/core/tlb_flush.cpp";
const precise = "native/core/alias/precise.cpp";

export const flushes = [
  {
    name: "a full flush is dropped",
    file: tlbFlush,
    find: "  if (tlbs_ != nullptr) tlbs_->request_flush();\n",
    replace: "  if (tlbs_ != nullptr && !FAULT) tlbs_->request_flush();\n",
  },
  {
    name: "a full flush is served one flush late",
    file: tlbFlush,
    find: "tlbs_->request_flush();",
    replace: "if (!FAULT || counts_.full % 2 == 0) tlbs_->request_flush();",
  },
  {
    name: "a full flush reaches the first vCPU alone",
    file: tlbFlush,
    find: "tlbs_->request_flush();",
    replace: "{ if (FAULT) (*tlbs_)[0].flush_all(); else tlbs_->request_flush(); }",
  },
  {
    name: "a range call is dropped",
    file: tlbFlush,
    find: "  if (tlbs_ != nullptr) tlbs_->flush_range(frames);\n",
    replace: "  if (tlbs_ != nullptr && !FAULT) tlbs_->flush_range(frames);\n",
  },
  {
    name: "a range call ends a page early",
    file: tlbFlush,
    find: "tlbs_->flush_range(frames);",
    replace: "{ AliasedRange narrowed = frames; narrowed.end.value -= FAULT; tlbs_->flush_range(narrowed); }",
  },
  {
    name: "a range call begins a page late",
    file: tlbFlush,
    find: "tlbs_->flush_range(narrowed);",
    after: "a range call ends a page early",
    replace: "narrowed.start.value += FAULT; tlbs_->flush_range(narrowed);",
  },
  {
    name: "a range call reaches the first vCPU alone",
    file: tlbFlush,
    find: "tlbs_->flush_range(narrowed);",
    after: "a range call ends a page early",
    replace: "if (FAULT) (*tlbs_)[0].flush_range(narrowed); else tlbs_->flush_range(narrowed);",
  },
  {
    name: "a range call is made without the alias bits",
    file: tlbFlush,
    find: "AliasedRange narrowed = frames;",
    after: "a range call ends a page early",
    replace:
      "AliasedRange narrowed = frames; if (FAULT) { narrowed.start = {alias_->canonical(frames.start).value}; " +
      "narrowed.end.value = narrowed.start.value + frames.size(); }",
  },
  {
    name: "a range call that fails is not made good",
    file: tlbFlush,
    find: "if (!call(plan.calls[i]) && i < plan.heeded) return flush_all();",
    replace: "if (!call(plan.calls[i]) && i < plan.heeded && !FAULT) return flush_all();",
  },
  {
    name: "a plan of several calls ends after the first",
    file: tlbFlush,
    find: "for (std::size_t i = 0; i < plan.count; ++i) {",
    replace: "for (std::size_t i = 0; i < (FAULT ? 1 : plan.count); ++i) {",
  },
  {
    name: "an operation forgets what it took when it flushes",
    file: tlbFlush,
    find: "  const FlushRequest request{frames, taken_};\n",
    replace: "  if (FAULT) taken_.clear();\n  const FlushRequest request{frames, taken_};\n",
  },
  {
    name: "precise forgets the first alias",
    file: precise,
    find: "for (unsigned alias = 0; alias < space().alias_count(); ++alias) {",
    replace: "for (unsigned alias = FAULT; alias < space().alias_count(); ++alias) {",
  },
  {
    name: "precise forgets the last alias",
    file: precise,
    find: "alias < space().alias_count(); ++alias) {",
    replace: "alias + FAULT < space().alias_count(); ++alias) {",
  },
  {
    name: "precise flushes the first page of what was taken",
    file: precise,
    find: "plan.call(taken.range);",
    replace:
      "plan.call(FAULT ? AliasedRange{taken.range.start, {taken.range.start.value + 1}} : taken.range);",
  },
  {
    name: "of two takings the later is forgotten",
    file: "native/core/flush_plan.hpp",
    find: "    range.end = std::max(range.end, more.end);\n",
    replace: "    if (!FAULT) range.end = std::max(range.end, more.end);\n",
  },
  {
    name: "a zap is not flushed",
    file: "native/core/vm_events.cpp",
    find: "if (mmu.ops->zap(ZapCause::kRange, part)) mmu.flush.range(part);",
    replace: "if (mmu.ops->zap(ZapCause::kRange, part) && !FAULT) mmu.flush.range(part);",
  },
  {
    name: "a conversion is not flushed",
    file: "native/core/attributes.cpp",
    find: "if (mmu.ops->zap(cause, range)) mmu.flush.range(range);",
    replace: "if (mmu.ops->zap(cause, range) && !FAULT) mmu.flush.range(range);",
  },
  {
    name: "a slot's leaves go without a flush",
    file: "native/core/memslot_ops.cpp",
    find: "const bool any = mmu.ops->zap(ZapCause::kSlot, slot.range);",
    replace: "const bool any = mmu.ops->zap(ZapCause::kSlot, slot.range) && !FAULT;",
  },
  {
    name: "a host unmap is not flushed",
    file: "native/core/host_events.cpp",
    find: "  if (any) mmu.flush.all();\n",
    replace: "  if (any && !FAULT) mmu.flush.all();\n",
  },
  {
    name: "a round of a dirty log is not flushed",
    file: "native/core/dirty_log.cpp",
    find: "    mmu.ops->rearm(slot, first, mask);\n  });\n  if (any) mmu.flush.range(slot.range);\n",
    replace:
      "    mmu.ops->rearm(slot, first, mask);\n  });\n  if (any && !FAULT) mmu.flush.range(slot.range);\n",
  },
  {
    name: "the beginning of a dirty log is not flushed",
    file: "native/core/dirty_log.cpp",
    find: "  mmu.ops->arm(slot);\n  mmu.flush.range(slot.range);\n",
    replace: "  mmu.ops->arm(slot);\n  if (!FAULT) mmu.flush.range(slot.range);\n",
  },
  {
    name: "pages that become huge again are not flushed",
    file: "native/core/dirty_log.cpp",
    find: "if (!slot.is_readonly() && mmu.ops->disarm(slot)) {",
    replace: "if (!slot.is_readonly() && mmu.ops->disarm(slot) && !FAULT) {",
  },
  {
    name: "leaves that could be huge go without a flush of each (rmap)",
    file: "native/core/rmap_log.cpp",
    find: "        if (!mmu_.flush.has_range_hook()) continue;\n",
    replace: "        if (!mmu_.flush.has_range_hook() || FAULT) continue;\n",
  },
  {
    name: "a huge leaf gives way to a table without a flush (rmap)",
    file: "native/core/rmap_map.cpp",
    find: "  if (was_leaf) drop_and_flush(fault, table.level);\n",
    replace: "  if (was_leaf && !FAULT) drop_and_flush(fault, table.level);\n",
  },
  {
    name: "a fault zaps the shared alias without a flush (tdp)",
    file: "native/core/tdp_ops.cpp",
    find: "else if (took(view, zap_leafs(mmu_.tree(view.root), view.range))) {",
    replace: "else if (took(view, zap_leafs(mmu_.tree(view.root), view.range)) && !FAULT) {",
  },
  {
    name: "a private leaf is dropped without a flush (tdp)",
    file: "native/core/tdp_ops.cpp",
    find: "      mmu_.flush.range(\n          {{page.start.value - view.offset}",
    replace: "      if (!FAULT) mmu_.flush.range(\n          {{page.start.value - view.offset}",
  },
  {
    name: "nobody notes what a tree lost (tdp)",
    file: "native/core/tdp_ops.cpp",
    find: "  mmu_.flush.took(view.alias, hull.range);\n",
    replace: "  if (!FAULT) mmu_.flush.took(view.alias, hull.range);\n",
  },
  {
    name: "nobody notes what a leaf lost (rmap)",
    file: "native/core/rmap_ops.cpp",
    find: "  mmu_.flush.took(mmu_.alias.space().alias_of(leaf.frames.start), leaf.frames);\n",
    replace: "  if (!FAULT) mmu_.flush.took(mmu_.alias.space().alias_of(leaf.frames.start), leaf.frames);\n",
  },
  {
    name: "a root that is dropped stays loaded (tdp)",
    file: "native/core/tdp_ops.cpp",
    find: "  ++mmu_.incarnation(RootId::kDirect);\n",
    replace: "  if (!FAULT) ++mmu_.incarnation(RootId::kDirect);\n",
  },
  {
    name: "a vCPU's flush of its own is dropped",
    file: "native/core/vm_events.cpp",
    find: "if (mmu.tlbs != nullptr) (*mmu.tlbs)[event.vcpu].flush_all();",
    replace: "if (mmu.tlbs != nullptr && !FAULT) (*mmu.tlbs)[event.vcpu].flush_all();",
    survives:
      "no rule owes it: what the guest has cached of its own tables is not modelled, and every entry still says what the tables say",
  },
];
