#include "core/query.hpp"

#include <algorithm>
#include <iterator>
#include <string>

#include "core/flavour.hpp"
#include "core/formats/shown.hpp"
#include "core/reach.hpp"
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

// An entry as the VM's kernel would have it. Which format a table has is our
// business; users see where it is.
std::uint64_t as_shown(const ShownSptes& shown, Spte spte, Level level) {
  return shown(spte.is_link(level) ? spte.without(link::kCompact) : spte);
}

// With its twins', each page once.
std::uint64_t count_dirty(const Memslot& slot) {
  if (!slot.dirty) return 0;
  if (slot.twins.empty()) return slot.dirty->count();
  std::uint64_t pages = 0;
  for (const std::uint64_t word : dirty_words(slot)) {
    pages += static_cast<unsigned>(std::popcount(word));
  }
  return pages;
}

void append_leaves(std::vector<LeafView>& leaves, const Mmu& mmu,
                   const View& view, bool mmio) {
  const ShownSptes shown(mmu.config);
  const PageTable& tree = mmu.tree(view.root);
  for (TableWalk walk(tree, view.range); walk; walk.next()) {
    const Spte spte = walk.spte();
    if (spte.is_leaf(walk.level()) || (mmio && spte.is_mmio())) {
      leaves.push_back({gpa_of(walk.gfn()).value, shown(spte),
                        static_cast<std::uint8_t>(walk.level())});
    }
  }
}

// Canonical frames that hardware can be given.
GfnRange canonical_space(const Mmu& mmu) {
  const AliasSpace& space = mmu.alias.space();
  const std::uint64_t all = bit(mmu.config.address_bits - kPageShift);
  return {{0}, {space.bit_count == 0 ? all : space.offset_of(1)}};
}

AliasedGfn issued_frame(const Mmu& mmu, std::uint64_t gpa) {
  return mmu.alias.space().as_hardware_sees(gfn_of(Gpa{gpa}));
}

// The page of a gpa, without alias bits.
GfnRange page_of(const Mmu& mmu, std::uint64_t gpa) {
  const Gfn gfn = mmu.alias.canonical(issued_frame(mmu, gpa));
  return {gfn, {gfn.value + 1}};
}

// Of one tree that is reached in one way: set_spte() has counted them.
AliasLeaves all_leaves(const Mmu& mmu) {
  AliasLeaves row;
  std::copy_n(mmu.accounts.leaves.begin(), std::size(row.by_level),
              std::begin(row.by_level));
  return row;
}

}  // namespace

Error bad_gpa(std::uint64_t gpa) {
  return {ErrorCode::kEvent,
          {{{"row", 0}, {"value", gpa}}},
          "expected a gpa below the VM's address width, got " + number(gpa)};
}

Error bad_vcpu(const Mmu& mmu, std::uint64_t vcpu) {
  return {ErrorCode::kEvent,
          {{{"row", 0}, {"value", vcpu}, {"limit", mmu.vcpu_ids.size()}}},
          "expected a vCPU below " + std::to_string(mmu.vcpu_ids.size()) +
              ", got vCPU " + std::to_string(vcpu)};
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
          .dirty_pages = count_dirty(slot),
          .memfd = slot.memfd,
          .memfd_offset = slot.memfd_offset};
}

Memslot* find_memslot(const Mmu& mmu, std::uint32_t slot) {
  const std::uint32_t as_id = slot_as(slot);
  return as_id < mmu.slot_rules.address_spaces
             ? mmu.slot_sets[as_id].by_id(slot_id(slot))
             : nullptr;
}

// KVM's own slots and twins are not the user's.
std::vector<MemslotView> list_memslots(const Mmu& mmu) {
  std::vector<MemslotView> views;
  for (const MemslotSet& set : mmu.slot_sets) {
    for (const Memslot* slot : set.in_id_order()) {
      views.push_back(view_of(*slot));
    }
  }
  return views;
}

TableCounts count_tables(const Mmu& mmu) {
  TableCounts counts;
  for (const PageTable& tree : mmu.trees) counts.roots += tree.has_root();
  for (unsigned level = 1; level < mmu.accounts.tables.size(); ++level) {
    counts.by_level[level] = mmu.accounts.tables[level];
  }
  counts.bytes_in_use = mmu.pool.bytes_in_use();
  counts.bytes_committed = mmu.pool.bytes_committed();
  return counts;
}

namespace {

// Calls then(step) for each.
template <class Then>
void for_each_step(const Mmu& mmu, std::uint64_t gpa, Then then) {
  const AliasedGfn gfn = issued_frame(mmu, gpa);
  const PageTable& tree = mmu.tree(mmu.alias.root_of(gfn));
  const ShownSptes shown(mmu.config);
  if (!tree.has_root()) return;
  for (TableRef table = tree.root();;) {
    const Level level = table.level;
    const Spte spte = tree.get(table, table_index(gfn, level));
    then(StepView{.level = static_cast<std::uint8_t>(level),
                  .is_leaf = spte.is_leaf(level),
                  .gpa = gpa_of(round_down(gfn, level)).value,
                  .spte = as_shown(shown, spte, level)});
    if (level == Level::k4K || !spte.is_link(level)) return;
    table = link::table(spte, below(level));
  }
}

}  // namespace

Result<std::vector<StepView>> list_steps(const Mmu& mmu, std::uint64_t gpa) {
  if (!fits(gpa, mmu.config.address_bits)) return bad_gpa(gpa);
  std::vector<StepView> steps;
  for_each_step(mmu, gpa, [&](const StepView& step) { steps.push_back(step); });
  return steps;
}

StepView last_step(const Mmu& mmu, std::uint64_t gpa) {
  StepView last;
  for_each_step(mmu, gpa, [&](const StepView& step) { last = step; });
  return last;
}

Result<std::vector<LeafView>> list_ways(const Mmu& mmu, std::uint64_t gpa) {
  if (!fits(gpa, mmu.config.address_bits)) return bad_gpa(gpa);
  std::vector<LeafView> leaves;
  for (const View& view : mmu.alias.every_view(page_of(mmu, gpa))) {
    append_leaves(leaves, mmu, view, false);
  }
  return leaves;
}

std::vector<LeafView> list_leaves(const Mmu& mmu, bool mmio) {
  std::vector<LeafView> leaves;
  for (const View& view : mmu.alias.every_view(canonical_space(mmu))) {
    append_leaves(leaves, mmu, view, mmio);
  }
  return leaves;
}

std::vector<AliasLeaves> count_alias_leaves(const Mmu& mmu) {
  std::vector<AliasLeaves> rows;
  const Views views = mmu.alias.every_view(canonical_space(mmu));
  if (mmu.config.mmu == Flavour::kTdp && views.size() == 1) {
    return {all_leaves(mmu)};
  }
  for (const View& view : views) {
    AliasLeaves row{.offset = view.offset << kPageShift};
    for_each_reached(mmu.tree(view.root), view.range,
                     [&](AliasedRange, Spte, Level level) {
                       ++row.by_level[number_of(level)];
                     });
    rows.push_back(row);
  }
  return rows;
}

std::vector<TableView> list_tables(const Mmu& mmu) {
  std::vector<TableView> tables;
  mmu.ops->append_tables(tables);
  return tables;
}

Result<std::uint64_t> count_rmap(const Mmu& mmu, std::uint64_t gpa) {
  if (!fits(gpa, mmu.config.address_bits)) return bad_gpa(gpa);
  return mmu.ops->rmap_count(mmu.alias.slot_gfn(issued_frame(mmu, gpa)));
}

Result<bool> has_private_attribute(const Mmu& mmu, std::uint64_t gpa) {
  if (!fits(gpa, mmu.config.address_bits)) return bad_gpa(gpa);
  return mmu.private_frames.contains(page_of(mmu, gpa).start);
}

FlushView flush_view(const Mmu& mmu) {
  const FlushCounts& counts = mmu.flush.counts();
  return {counts.none, counts.range, counts.full, counts.pages};
}

std::vector<ViolationView> list_found(const Mmu& mmu, RuleKind kind) {
  return mmu.rules == nullptr ? std::vector<ViolationView>{}
                              : mmu.rules->found(kind);
}

std::vector<std::string_view> list_judged(const Mmu& mmu) {
  return mmu.rules == nullptr ? std::vector<std::string_view>{}
                              : mmu.rules->judged();
}

}  // namespace mmu
