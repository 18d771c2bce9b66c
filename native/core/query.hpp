// Questions about a VM's state. Nothing here changes anything, save the one
// function that KVM_GET_DIRTY_LOG needs.
#pragma once

#include "core/memslot_ops.hpp"

namespace mmu {

AliasedRange whole_space(const MachineConfig& config);
Error bad_gpa(std::uint64_t gpa);
Error aborted(std::size_t applied);
Error out_of_memory(const Mmu& mmu);

MemslotView view_of(const Memslot& slot);
// By `as_id << 16 | id`; null where there is none.
Memslot* find_memslot(const Mmu& mmu, std::uint32_t slot);
std::vector<MemslotView> list_memslots(const Mmu& mmu);
std::vector<NamedCount> list_stats(const Mmu& mmu);
TableCounts count_tables(const Mmu& mmu);
Result<std::vector<StepView>> list_steps(const Mmu& mmu, std::uint64_t gpa);
void append_leaves(std::vector<LeafView>& leaves, const Mmu& mmu,
                   AliasedRange range, bool mmio);
Result<std::vector<std::uint64_t>> read_dirty_log(Mmu& mmu,
                                                  const ViewsOf& views,
                                                  std::uint32_t slot,
                                                  bool peek);

}  // namespace mmu
