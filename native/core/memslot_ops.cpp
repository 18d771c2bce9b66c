#include "core/memslot_ops.hpp"

#include "core/range_ops.hpp"

namespace mmu {
namespace {

// One step of the generation; when the part that MMIO entries carry comes
// round to zero, entries of the last round must go.
// KVM: kvm_mmu_invalidate_mmio_sptes().
void advance(Mmu& mmu, std::uint32_t as_id) {
  if (mmu.slot_sets[as_id].advance_generation()) zap_all_fast(mmu);
}

// Frame numbers of host memory are its addresses, less the 1 TiB at which the
// first backing region starts.
constexpr std::uint64_t kFirstRegion = bit(40);

std::unique_ptr<Memslot> make_slot(const MemslotRegion& region,
                                   const MachineConfig& config) {
  auto slot = std::make_unique<Memslot>();
  slot->id = slot_id(region.slot);
  slot->as_id = slot_as(region.slot);
  slot->range = {{region.gpa >> kPageShift},
                 {(region.gpa + region.bytes) >> kPageShift}};
  slot->hva = {region.hva};
  slot->flags = region.flags;
  slot->backing = level_of(region.backing);
  slot->pfn_offset =
      ((region.hva - kFirstRegion) >> kPageShift) - slot->range.start.value;
  slot->pfn_mask = max_gfn(config).value;
  return slot;
}

// Only slots of address space 0 have mappings here: no access uses SMM.
template <class Act>
void for_each_view(Mmu& mmu, const ViewsOf& views, const Memslot& slot,
                   Act act) {
  if (slot.as_id != 0) return;
  for (const View& view : views(slot.range)) act(mmu.tree, view);
}

// KVM: kvm_mmu_slot_apply_flags(), not initially-all-set, PML off.
void arm(Mmu& mmu, const ViewsOf& views, const Memslot& slot) {
  for_each_view(mmu, views, slot, [](PageTable& tree, const View& view) {
    split_huge_pages(tree, view.range);
    write_protect(tree, view.range);
  });
}

void disarm(Mmu& mmu, const ViewsOf& views, const Memslot& slot) {
  for_each_view(mmu, views, slot, [&](PageTable& tree, const View& view) {
    recover_huge_pages(tree, view.range, slot, view.offset);
  });
}

// Until the last step KVM keeps an invalid copy of the slot in the set; with
// one thread nobody can meet it. Under the default quirk the flush of the old
// slot is a zap of everything. KVM: kvm_invalidate_memslot().
void invalidate(Mmu& mmu, std::uint32_t as_id) {
  advance(mmu, as_id);
  zap_all_fast(mmu);
}

Result<SlotChange> create(Mmu& mmu, const MemslotRegion& region) {
  Result<SlotChange> change =
      check_arch(region, SlotChange::kCreate, mmu.config);
  if (!change) return change;
  std::unique_ptr<Memslot> slot = make_slot(region, mmu.config);
  if (slot->is_logged()) slot->dirty = make_bitmap(*slot);
  mmu.slot_sets[slot->as_id].insert(std::move(slot));
  advance(mmu, slot_as(region.slot));
  return change;
}

SlotChange remove(Mmu& mmu, const MemslotRegion& region) {
  const std::uint32_t as_id = slot_as(region.slot);
  invalidate(mmu, as_id);
  mmu.slot_sets[as_id].take(slot_id(region.slot));
  advance(mmu, as_id);
  return SlotChange::kDelete;
}

// A move that fails here has already lost the slot's mappings; the slot itself
// is put back. A bitmap that exists moves along with its bits.
Result<SlotChange> move(Mmu& mmu, const MemslotRegion& region) {
  const std::uint32_t as_id = slot_as(region.slot);
  MemslotSet& set = mmu.slot_sets[as_id];
  std::unique_ptr<Memslot> moved = make_slot(region, mmu.config);
  const bool has_bitmap = set.by_id(moved->id)->dirty != nullptr;
  if (moved->is_logged() && !has_bitmap) moved->dirty = make_bitmap(*moved);
  invalidate(mmu, as_id);
  Result<SlotChange> change = check_arch(region, SlotChange::kMove, mmu.config);
  if (change) {
    std::unique_ptr<Memslot> old = set.take(moved->id);
    moved->backing = old->backing;
    if (moved->is_logged() && has_bitmap) moved->dirty = std::move(old->dirty);
    set.insert(std::move(moved));
  }
  advance(mmu, as_id);
  return change;
}

void toggle_logging(Mmu& mmu, const ViewsOf& views, Memslot& slot) {
  if (slot.is_logged()) {
    stop_logging(mmu, views, slot);
  } else {
    start_logging(mmu, views, slot, make_bitmap(slot));
  }
}

}  // namespace

Result<SlotChange> set_memslot(Mmu& mmu, const ViewsOf& views,
                               const MemslotRegion& region) {
  Result<SlotChange> change =
      check_memslot(mmu.slot_sets.data(), region, mmu.config);
  if (!change) return change;
  switch (change.value()) {
    case SlotChange::kNone:
      return change;
    case SlotChange::kCreate:
      return create(mmu, region);
    case SlotChange::kDelete:
      return remove(mmu, region);
    case SlotChange::kMove:
      return move(mmu, region);
    case SlotChange::kFlags:
      toggle_logging(
          mmu, views,
          *mmu.slot_sets[slot_as(region.slot)].by_id(slot_id(region.slot)));
      return change;
  }
  return change;
}

std::unique_ptr<DirtyBitmap> make_bitmap(const Memslot& slot) {
  return std::make_unique<DirtyBitmap>(slot.range.size());
}

void start_logging(Mmu& mmu, const ViewsOf& views, Memslot& slot,
                   std::unique_ptr<DirtyBitmap> bitmap) noexcept {
  slot.dirty = std::move(bitmap);
  slot.flags |= MemslotRegion::kLogDirty;
  advance(mmu, slot.as_id);
  if (!slot.is_readonly()) arm(mmu, views, slot);
}

void stop_logging(Mmu& mmu, const ViewsOf& views, Memslot& slot) noexcept {
  slot.dirty.reset();
  slot.flags &= ~MemslotRegion::kLogDirty;
  advance(mmu, slot.as_id);
  if (!slot.is_readonly()) disarm(mmu, views, slot);
}

std::uint64_t take_dirty_log(
    Mmu& mmu, const ViewsOf& views, Memslot& slot,
    const std::function<void(std::size_t, std::uint64_t)>& taken) {
  std::uint64_t pages = 0;
  slot.dirty->take([&](std::size_t word, std::uint64_t mask) {
    pages += static_cast<unsigned>(std::popcount(mask));
    if (taken) taken(word, mask);
    const Gfn first{slot.range.start.value + word * 64};
    if (slot.as_id != 0) return;
    for (const View& view : views({first, {first.value + 1}})) {
      write_protect_masked(mmu.tree, view.range.start, mask);
    }
  });
  return pages;
}

void count_round(DirtyRounds& rounds, std::uint64_t pages) noexcept {
  ++rounds.rounds;
  rounds.reaping += pages != 0;
  rounds.pages += pages;
}

void zap_all_fast(Mmu& mmu) noexcept {
  mmu.accounts.changed += mmu.tree.drop_root();
}

}  // namespace mmu
