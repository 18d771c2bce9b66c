#include "core/memslot_ops.hpp"

#include "core/flavour.hpp"
#include "core/host_events.hpp"
#include "core/host_ops.hpp"
#include "core/memslot_family.hpp"
#include "core/pml_log.hpp"
#include "core/rules/rule_set.hpp"

namespace mmu {
namespace {

// An absent attribute means shared, and RAM starts private.
void mark_private(Mmu& mmu, const Memslot& slot) {
  if (mmu.has_private_memory() && slot.as_id == 0 && !slot.is_readonly()) {
    mmu.private_frames.add(slot.range);
  }
}

// Whatever a family's arrival may want of memory, before anything changes.
void make_room(Mmu& mmu, const Family& family) {
  const Memslot& slot = *family.front();
  mmu.slot_sets[slot.as_id].reserve(family.size(), slot.id);
  mark_private(mmu, slot);
}

Result<SlotChange> create(Mmu& mmu, const MemslotRegion& region) {
  if (auto error = check_binding(mmu.slot_sets.data(), region, mmu.memfds)) {
    return *std::move(error);
  }
  Result<SlotChange> change = check_arch(region, SlotChange::kCreate,
                                         mmu.slot_rules, mmu.alias.space());
  if (!change) return change;
  if (auto busy = slots_are_busy(mmu)) return *busy;
  Result<Family> family = make_family(mmu, region);
  if (!family) return family.error();
  make_room(mmu, family.value());
  for (const auto& slot : family.value()) note_host_mappings(mmu, *slot);
  for (std::unique_ptr<Memslot>& slot : family.value()) {
    mmu.slot_sets[slot->as_id].insert(std::move(slot));
    advance_generation(mmu, slot_as(region.slot));
  }
  return change;
}

// What a slot's end does to mappings. Where the quirk is off, and for the VMs
// that never had it, the slot's own leaves go and the tables stay.
OnSlotEnd on_slot_end(const Mmu& mmu) {
  if (!mmu.slot_zap_all) return OnSlotEnd::kLeavesOnly;
  return mmu.has_private_memory() ? mmu.traits.on_slot_end
                                  : OnSlotEnd::kForgetPrivate;
}

// KVM: kvm_arch_flush_shadow_memslot(), kvm_mmu_zap_memslot().
void flush_shadow(Mmu& mmu, const Memslot& slot) {
  const OnSlotEnd what = on_slot_end(mmu);
  if (what != OnSlotEnd::kLeavesOnly) mmu.ops->zap_all_fast();
  if (what == OnSlotEnd::kForgetPrivate || slot.as_id != 0) return;
  const bool any = mmu.ops->zap(ZapCause::kSlot, slot.range);
  if (what == OnSlotEnd::kLeavesOnly) {
    const bool freed = mmu.ops->zap_guest_tables(slot.range);
    if (any || freed) mmu.flush.all();
  } else if (any) {
    mmu.flush.range(slot.range);
  }
}

// Until the last step KVM keeps an invalid copy of the slot in the set; with
// one thread nobody can meet it. KVM: kvm_invalidate_memslot().
void invalidate(Mmu& mmu, const Memslot& slot) {
  advance_generation(mmu, slot.as_id);
  flush_shadow(mmu, slot);
}

// A slot, then its twins: listed, because the list outlives them.
std::vector<Memslot*> members(Memslot& first) {
  std::vector<Memslot*> all;
  all.reserve(1 + first.twins.size());
  for_each_member(first, [&](Memslot& slot) { all.push_back(&slot); });
  return all;
}

void report_removal(Mmu& mmu, std::uint32_t as_id, GfnRange range) {
  if (mmu.rules && as_id == 0) mmu.rules->removed(range);
}

SlotChange remove(Mmu& mmu, const MemslotRegion& region) {
  const std::uint32_t as_id = slot_as(region.slot);
  MemslotSet& set = mmu.slot_sets[as_id];
  Memslot& first = *set.by_id(slot_id(region.slot));
  const GfnRange range = first.range;
  for (Memslot* slot : members(first)) {
    invalidate(mmu, *slot);
    set.take(slot);
    advance_generation(mmu, as_id);
  }
  report_removal(mmu, as_id, range);
  return SlotChange::kDelete;
}

// What stays with a slot wherever it goes. A bitmap that exists moves along
// with its bits.
void inherit(Memslot& moved, Memslot& old) {
  moved.backing = old.backing;
  if (moved.is_logged() && old.dirty) moved.dirty = std::move(old.dirty);
}

// A move that fails here has already lost the slot's mappings; the slot itself
// is put back.
Result<SlotChange> move(Mmu& mmu, const MemslotRegion& region) {
  const std::uint32_t as_id = slot_as(region.slot);
  MemslotSet& set = mmu.slot_sets[as_id];
  Memslot& first = *set.by_id(slot_id(region.slot));
  const GfnRange range = first.range;
  const std::vector<Memslot*> olds = members(first);
  Result<Family> made = make_family(mmu, region);
  if (!made) return made.error();
  Family& family = made.value();
  const Result<SlotChange> change =
      check_arch(region, SlotChange::kMove, mmu.slot_rules, mmu.alias.space());
  if (change) make_room(mmu, family);
  for (const auto& slot : family) note_host_mappings(mmu, *slot);
  for (std::size_t i = 0; i < (change ? olds.size() : 1); ++i) {
    invalidate(mmu, *olds[i]);
    if (change) {
      const std::unique_ptr<Memslot> old = set.take(olds[i]);
      inherit(*family[i], *old);
      set.insert(std::move(family[i]));
    }
    advance_generation(mmu, as_id);
  }
  report_removal(mmu, as_id, range);
  return change;
}

void toggle_logging(Mmu& mmu, Memslot& slot) {
  if (slot.is_logged()) {
    stop_logging(mmu, slot);
  } else {
    start_logging(mmu, slot, make_bitmaps(mmu, slot));
  }
}

// A create waits only once it has been checked whole.
bool waits_first(SlotChange change) {
  return change != SlotChange::kNone && change != SlotChange::kCreate;
}

Result<SlotChange> apply(Mmu& mmu, const MemslotRegion& region,
                         SlotChange change) {
  switch (change) {
    case SlotChange::kNone:
      return change;
    case SlotChange::kCreate:
      return create(mmu, region);
    case SlotChange::kDelete:
      return remove(mmu, region);
    case SlotChange::kMove:
      return move(mmu, region);
    case SlotChange::kFlags:
      toggle_logging(mmu, *mmu.slot_sets[slot_as(region.slot)].by_id(
                              slot_id(region.slot)));
      return change;
  }
  return change;
}

}  // namespace

Result<SlotChange> set_memslot(Mmu& mmu, const MemslotRegion& region) {
  Result<SlotChange> change =
      check_memslot(mmu.slot_sets.data(), region, mmu.slot_rules);
  if (change && waits_first(change.value())) {
    if (auto busy = slots_are_busy(mmu)) return *busy;
  }
  if (change) change = apply(mmu, region, change.value());
  if (!change) return change;
  forget_pml_unless_logged(mmu);
  const bool resizes = change.value() == SlotChange::kCreate ||
                       change.value() == SlotChange::kDelete;
  if (resizes) mmu.ops->memory_changed();
  return change;
}

}  // namespace mmu
