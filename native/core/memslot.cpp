#include "core/memslot.hpp"

#include <algorithm>

#include "core/spte.hpp"

namespace mmu {

Memslot* MemslotSet::search(Gfn gfn) const {
  const auto after = std::upper_bound(
      slots_.begin(), slots_.end(), gfn,
      [](Gfn g, const auto& slot) { return g < slot->range.start; });
  if (after == slots_.begin()) return nullptr;
  Memslot* slot = std::prev(after)->get();
  if (!slot->range.contains(gfn)) return nullptr;
  return last_ = slot;
}

const Memslot* MemslotSet::overlapping(GfnRange range, std::uint32_t id) const {
  // Slots do not overlap each other, so their ends are sorted like their
  // starts, and the first that ends inside or after the range decides, save
  // for `id` itself.
  auto at = std::lower_bound(
      slots_.begin(), slots_.end(), range.start,
      [](const auto& slot, Gfn g) { return slot->range.end <= g; });
  for (; at != slots_.end() && (*at)->range.start < range.end; ++at) {
    if ((*at)->id != id) return at->get();
  }
  return nullptr;
}

void MemslotSet::insert(std::unique_ptr<Memslot> slot) {
  if (by_id_.size() <= slot->id) by_id_.resize(slot->id + 1);
  const auto at =
      std::lower_bound(slots_.begin(), slots_.end(), slot->range.start,
                       [](const auto& s, Gfn g) { return s->range.start < g; });
  Memslot* raw = slot.get();
  slots_.insert(at, std::move(slot));
  by_id_[raw->id] = raw;
}

std::unique_ptr<Memslot> MemslotSet::take(std::uint32_t id) {
  Memslot* raw = by_id_[id];
  const auto at =
      std::find_if(slots_.begin(), slots_.end(),
                   [raw](const auto& slot) { return slot.get() == raw; });
  std::unique_ptr<Memslot> slot = std::move(*at);
  slots_.erase(at);
  by_id_[id] = nullptr;
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

bool MemslotSet::advance_generation() {
  generation_ += kAddressSpaces;
  const std::uint64_t round =
      (generation_ & (bit(ept::kGenerationBits) - 1)) / kAddressSpaces;
  return round == 0;
}

}  // namespace mmu
