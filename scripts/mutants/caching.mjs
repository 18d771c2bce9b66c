// TLBs, flushes and what is counted of them, and the rules that watch.

export const caching = [
  {
    name: "Hyper-V's list holds an entry less",
    file: "native/core/hyperv_list.hpp",
    find: "entries_for(pages) <= kMostEntries",
    replace: "entries_for(pages) < kMostEntries",
  },
  {
    name: "a call that fails is not made good",
    file: "native/core/tlb_flush.cpp",
    find: "if (!call(plan.calls[i]) && i < plan.heeded) return flush_all();",
    replace: "call(plan.calls[i]);",
  },
  {
    name: "Hyper-V's full hook counts twice",
    file: "native/core/tlb_flush.cpp",
    find: "    ++counts_.remote_tlb_flush;\n",
    replace: "    counts_.remote_tlb_flush += 2;\n",
  },
  {
    name: "a vCPU that flushes counts as kicked",
    file: "native/core/tlb_flush.cpp",
    find: "counts_.remote_tlb_flush += vcpus_ > from_vcpu_;",
    replace: "++counts_.remote_tlb_flush;",
  },
  {
    name: "a range call flushes the first vCPU alone",
    file: "native/core/tlb_flush.cpp",
    find: "tlbs_->flush_range(frames);",
    replace: "(*tlbs_)[0].flush_range(frames);",
  },
  {
    name: "a full flush leaves the TLBs",
    file: "native/core/tlb_flush.cpp",
    find: "  if (tlbs_ != nullptr) tlbs_->flush_all();\n",
    replace: "",
  },
  {
    name: "what was flushed stays owed",
    file: "native/core/tlb_flush.cpp",
    find: "  taken_.clear();\n",
    replace: "",
  },
  {
    name: "a leaf that lost nothing counts as dead",
    file: "native/core/rules/flush_wider_than_live.cpp",
    find: " || has_leaf(view)",
    replace: "",
  },
  {
    name: "a leaf that was shared counts as one alias' own",
    file: "native/core/rules/flush_wider_than_live.cpp",
    find: "shares_what_went(view.alias, taken) || ",
    replace: "",
  },
  {
    name: "what is cached and no longer mapped counts as dead",
    file: "native/core/rules/flush_wider_than_live.cpp",
    find: " || is_cached(view)",
    replace: "",
  },
  {
    name: "a flush of everything is taken for its calls alone",
    file: "native/core/rules/flush_wider_than_live.cpp",
    find: "if (plan.full) return vm().alias.every_view(canonical(range));",
    replace: "",
  },
  {
    name: "a TLB keeps W of a leaf that is clean",
    file: "native/core/access.cpp",
    find: "  if (must_mark) rights &= ~kAccessWrite;\n",
    replace: "",
    equivalent:
      "KVM sets W and Dirty together and never clears Dirty alone: no leaf has the one without the other",
  },
  {
    name: "a cached translation serves more than it grants",
    file: "native/core/access.cpp",
    find: "if ((entry->rights & access.wanted) != access.wanted) {",
    replace: "if (entry->rights == 0) {",
  },
  {
    name: "an access that faults keeps its cached translation",
    file: "native/core/access.cpp",
    find: "    tlb.remove(*entry);\n",
    replace: "",
  },
  {
    name: "a TLB hit does not count as a use",
    file: "native/core/access.cpp",
    find: "  tlb.touch(*entry);\n",
    replace: "",
  },
  {
    name: "an overdue translation is reported for each use",
    file: "native/core/access.cpp",
    find: "std::exchange(entry->overdue, false)",
    replace: "entry->overdue",
  },
  {
    name: "a root that is dropped keeps its incarnation",
    file: "native/core/tdp_ops.cpp",
    find: "  ++mmu_.incarnation(RootId::kDirect);\n",
    replace: "",
  },
  {
    name: "a translation that outlived its flush is not overdue",
    file: "native/core/rules/stale_translation.cpp",
    find: "        entry.overdue = true;\n",
    replace: "",
  },
  {
    name: "what a projection inserted takes a number",
    file: "native/core/replay_loop.hpp",
    find: "    base_ -= is_inserted(events, row);\n",
    replace: "",
  },
  {
    name: "the retry of a stuck access is not counted",
    file: "native/core/access.cpp",
    find: "        exit_with(mmu, again) == OutcomeCode::kWriteProtected;\n",
    replace: "        false;\n",
  },
];
