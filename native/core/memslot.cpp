#include "core/memslot.hpp"

#include <algorithm>

namespace mmu {

// Where too little was asked since the slots changed for an index to pay.
Memslot* MemslotSet::search(Gfn gfn) const {
  if (Memslot* slot = find_in_last(gfn)) return slot;
  if (index_.is_due()) index_.build(slots_);
  if (index_.is_built()) return index_.find(gfn);
  const auto after = std::upper_bound(
      slots_.begin(), slots_.end(), gfn,
      [](Gfn g, const auto& slot) { return g < slot->range.start; });
  if (after == slots_.begin()) return nullptr;
  Memslot* slot = std::prev(after)->get();
  return slot->range.contains(gfn) ? slot : nullptr;
}

const Memslot* MemslotSet::overlapping(GfnRange range,
                                       const Memslot* self) const {
  for (const auto& slot : meeting(range)) {
    if (slot.get() != self) return slot.get();
  }
  return nullptr;
}

// Slots do not overlap each other, so their ends are sorted like their starts.
std::span<const std::unique_ptr<Memslot>> MemslotSet::meeting(
    GfnRange range) const {
  const auto first = std::ranges::partition_point(
      slots_, [&](const auto& slot) { return slot->range.end <= range.start; });
  const auto last = std::partition_point(
      first, slots_.end(),
      [&](const auto& slot) { return slot->range.start < range.end; });
  return {first, last};
}

void MemslotSet::reserve(std::size_t slots, std::uint32_t id) {
  const std::size_t wanted = slots_.size() + slots;
  // By doubling, so that slot after slot is not a copy of all of them.
  if (slots_.capacity() < wanted)
    slots_.reserve(std::max(wanted, 2 * slots_.size()));
  index_.reserve(slots_.capacity());
  if (by_id_.size() <= id) by_id_.resize(id + 1);
  by_hva_.reserve(wanted);
}

void MemslotSet::insert(std::unique_ptr<Memslot> slot) {
  const bool has_id = !slot->is_twin && !slot->is_internal();
  if (has_id && by_id_.size() <= slot->id) by_id_.resize(slot->id + 1);
  const auto at =
      std::lower_bound(slots_.begin(), slots_.end(), slot->range.start,
                       [](const auto& s, Gfn g) { return s->range.start < g; });
  Memslot* raw = slot.get();
  slots_.insert(at, std::move(slot));
  by_hva_.insert(*raw);
  index_.forget();
  if (has_id) by_id_[raw->id] = raw;
}

std::unique_ptr<Memslot> MemslotSet::take(Memslot* raw) {
  const auto at = std::ranges::lower_bound(
      slots_, raw->range.start, {},
      [](const auto& slot) { return slot->range.start; });
  by_hva_.remove(*raw);
  std::unique_ptr<Memslot> slot = std::move(*at);
  slots_.erase(at);
  index_.forget();
  if (by_id(raw->id) == raw) by_id_[raw->id] = nullptr;
  if (last_ == raw) last_ = nullptr;
  return slot;
}

std::vector<Memslot*> MemslotSet::in_id_order() const {
  std::vector<Memslot*> slots;
  for (Memslot* slot : by_id_) {
    if (slot != nullptr) slots.push_back(slot);
  }
  return slots;
}

std::vector<Memslot*> MemslotSet::in_id_order(GfnRange range) const {
  std::vector<Memslot*> slots;
  for (const auto& slot : meeting(range)) {
    if (by_id(slot->id) == slot.get()) slots.push_back(slot.get());
  }
  std::ranges::sort(slots, {}, &Memslot::id);
  return slots;
}

// Among the sets the lowest bits tell whose generation it is.
// KVM: kvm_mmu_invalidate_mmio_sptes().
bool MemslotSet::advance_generation() {
  generation_ += spaces_;
  return mmio_generation() < spaces_;
}

}  // namespace mmu
