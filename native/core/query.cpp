#include "core/query.hpp"

#include <string>

#include "core/table_walk.hpp"

namespace mmu {
namespace {

// Which format a table has is our business; users see where it is.
Spte as_shown(Spte spte, Level level) {
  return spte.is_link(level) ? spte.without(link::kCompact) : spte;
}

std::uint64_t sum(const Mmu& mmu, std::uint64_t VcpuStats::* counter) {
  std::uint64_t total = 0;
  for (const VcpuStats& vcpu : mmu.vcpus) total += vcpu.*counter;
  return total;
}

}  // namespace

AliasedRange whole_space(const MachineConfig& config) {
  return {{0}, {bit(config.address_bits - kPageShift)}};
}

Error bad_gpa(std::uint64_t gpa) {
  return {ErrorCode::kEvent,
          {{{"row", 0}, {"value", gpa}}},
          "expected a gpa below the VM's address width"};
}

Error aborted(std::size_t applied) {
  return {ErrorCode::kAborted, {{{"applied", applied}}}};
}

Error out_of_memory(const Mmu& mmu) {
  const std::uint64_t bytes = mmu.pool.bytes_in_use();
  const std::uint64_t limit = mmu.pool.limit();
  return {ErrorCode::kOutOfMemory,
          {{{"bytes", bytes}, {"limit", limit}}},
          "the tables take " + std::to_string(bytes) + " bytes of at most " +
              std::to_string(limit)};
}

MemslotView view_of(const Memslot& slot) {
  return {.slot = slot.as_id << 16 | slot.id,
          .flags = slot.flags,
          .gpa = gpa_of(slot.range.start).value,
          .bytes = slot.range.size() << kPageShift,
          .hva = slot.hva.value,
          .backing = static_cast<std::uint8_t>(slot.backing),
          .dirty_pages = slot.dirty ? slot.dirty->count() : 0};
}

Memslot* find_memslot(const Mmu& mmu, std::uint32_t slot) {
  const std::uint32_t as_id = slot_as(slot);
  return as_id < kAddressSpaces ? mmu.slot_sets[as_id].by_id(slot_id(slot))
                                : nullptr;
}

std::vector<MemslotView> list_memslots(const Mmu& mmu) {
  std::vector<MemslotView> views;
  for (const MemslotSet& set : mmu.slot_sets) {
    for (const Memslot* slot : set.in_id_order()) {
      views.push_back(view_of(*slot));
    }
  }
  return views;
}

std::vector<NamedCount> list_stats(const Mmu& mmu) {
  return {{"pf_taken", sum(mmu, &VcpuStats::pf_taken)},
          {"pf_fixed", sum(mmu, &VcpuStats::pf_fixed)},
          {"pf_emulate", sum(mmu, &VcpuStats::pf_emulate)},
          {"pf_spurious", sum(mmu, &VcpuStats::pf_spurious)},
          {"pf_fast", sum(mmu, &VcpuStats::pf_fast)},
          {"pf_mmio_spte_created", sum(mmu, &VcpuStats::pf_mmio_spte_created)},
          {"pages_4k", mmu.accounts.leaves[1]},
          {"pages_2m", mmu.accounts.leaves[2]},
          {"pages_1g", mmu.accounts.leaves[3]}};
}

TableCounts count_tables(const Mmu& mmu) {
  TableCounts counts;
  counts.roots = mmu.tree.has_root() ? 1 : 0;
  for (unsigned level = 1; level < mmu.accounts.tables.size(); ++level) {
    counts.by_level[level] = mmu.accounts.tables[level];
  }
  counts.bytes_in_use = mmu.pool.bytes_in_use();
  counts.bytes_committed = mmu.pool.bytes_committed();
  return counts;
}

Result<std::vector<StepView>> list_steps(const Mmu& mmu, std::uint64_t gpa) {
  if (!fits(gpa, mmu.config.address_bits)) return bad_gpa(gpa);
  const AliasedGfn gfn = gfn_of(Gpa{gpa});
  std::vector<StepView> steps;
  if (!mmu.tree.has_root()) return steps;
  TableRef table = mmu.tree.root();
  while (true) {
    const Level level = table.level;
    const Spte spte = mmu.tree.get(table, table_index(gfn, level));
    steps.push_back({.level = static_cast<std::uint8_t>(level),
                     .is_leaf = spte.is_leaf(level),
                     .gpa = gpa_of(round_down(gfn, level)).value,
                     .spte = as_shown(spte, level).raw});
    if (level == Level::k4K || !spte.is_link(level)) return steps;
    table = link::table(spte, below(level));
  }
}

void append_leaves(std::vector<LeafView>& leaves, const Mmu& mmu,
                   AliasedRange range, bool mmio) {
  for (TableWalk walk(mmu.tree, range); walk; walk.next()) {
    const Spte spte = walk.spte();
    if (spte.is_leaf(walk.level()) || (mmio && spte.is_mmio())) {
      leaves.push_back({gpa_of(walk.gfn()).value, spte.raw,
                        static_cast<std::uint8_t>(walk.level())});
    }
  }
}

Result<std::vector<std::uint64_t>> read_dirty_log(Mmu& mmu,
                                                  const ViewsOf& views,
                                                  std::uint32_t slot,
                                                  bool peek) {
  Memslot* found = find_memslot(mmu, slot);
  if (found == nullptr || !found->dirty) {
    return Error{ErrorCode::kNoDirtyLog,
                 {{{"id", slot_id(slot)}, {"as", slot_as(slot)}}}};
  }
  if (peek) return found->dirty->words();
  std::vector<std::uint64_t> bitmap(found->dirty->words().size());
  count_round(mmu.dirty_rounds,
              take_dirty_log(mmu, views, *found,
                             [&](std::size_t word, std::uint64_t mask) {
                               bitmap[word] = mask;
                             }));
  return bitmap;
}

}  // namespace mmu
