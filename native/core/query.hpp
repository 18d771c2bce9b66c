// Questions about a VM's state. Nothing here changes anything.
#pragma once

#include "core/memslot_ops.hpp"

namespace mmu {

Error bad_gpa(std::uint64_t gpa);
Error bad_vcpu(const Mmu& mmu, std::uint64_t vcpu);
Error aborted(std::size_t applied);
Error out_of_memory(const Mmu& mmu);

MemslotView view_of(const Memslot& slot);
// By `as_id << 16 | id`; null where there is none.
Memslot* find_memslot(const Mmu& mmu, std::uint32_t slot);
std::vector<MemslotView> list_memslots(const Mmu& mmu);
TableCounts count_tables(const Mmu& mmu);
// The last of those steps; the gpa is one of this VM. Level 0 without a root.
StepView last_step(const Mmu& mmu, std::uint64_t gpa);
Result<std::vector<StepView>> list_steps(const Mmu& mmu, std::uint64_t gpa);
// Leaves through which hardware gets to the page of a gpa, under any alias.
Result<std::vector<LeafView>> list_ways(const Mmu& mmu, std::uint64_t gpa);
// Every leaf that hardware reaches, once for each way, in gpa order.
std::vector<LeafView> list_leaves(const Mmu& mmu, bool mmio);
std::vector<AliasLeaves> count_alias_leaves(const Mmu& mmu);
std::vector<TableView> list_tables(const Mmu& mmu);
Result<std::uint64_t> count_rmap(const Mmu& mmu, std::uint64_t gpa);
Result<bool> has_private_attribute(const Mmu& mmu, std::uint64_t gpa);
FlushView flush_view(const Mmu& mmu);
std::vector<ViolationView> list_found(const Mmu& mmu, RuleKind kind);
std::vector<std::string_view> list_judged(const Mmu& mmu);

}  // namespace mmu
