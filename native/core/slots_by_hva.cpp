#include "core/slots_by_hva.hpp"

#include <algorithm>

#include "core/memslot.hpp"

namespace mmu {
namespace {

HostRange host_pages_of(const Memslot& slot) {
  const HostPage first = page_of(slot.hva);
  return {first, {first.value + slot.range.size()}};
}

}  // namespace

void SlotsByHva::reserve(std::size_t slots) {
  // By doubling, as the set of slots itself.
  const auto grow = [slots](auto& list) {
    if (list.capacity() < slots) list.reserve(std::max(slots, 2 * list.size()));
  };
  grow(seats_);
  if (found_.capacity() < seats_.capacity()) found_.reserve(seats_.capacity());
}

void SlotsByHva::insert(Memslot& slot) {
  reserve(seats_.size() + 1);
  const HostRange pages = host_pages_of(slot);
  const auto at = std::ranges::upper_bound(
      seats_, pages.start, {},
      [](const Seat& seat) { return seat.pages.start; });
  const auto index = static_cast<std::size_t>(at - seats_.begin());
  seats_.insert(at, {pages, pages.end, &slot});
  reach_from(index);
}

void SlotsByHva::remove(const Memslot& slot) noexcept {
  auto at = std::ranges::lower_bound(
      seats_, host_pages_of(slot).start, {},
      [](const Seat& seat) { return seat.pages.start; });
  while (at->slot != &slot) ++at;
  const auto index = static_cast<std::size_t>(at - seats_.begin());
  seats_.erase(at);
  reach_from(index);
}

std::span<Memslot* const> SlotsByHva::on(HostRange pages) const {
  found_.clear();
  if (pages.empty()) return found_;
  auto at = std::ranges::partition_point(
      seats_, [&](const Seat& seat) { return seat.reach <= pages.start; });
  for (; at != seats_.end() && at->pages.start < pages.end; ++at) {
    if (at->pages.overlaps(pages)) found_.push_back(at->slot);
  }
  std::ranges::sort(found_, {},
                    [](const Memslot* slot) { return slot->range.start; });
  return found_;
}

void SlotsByHva::reach_from(std::size_t first) noexcept {
  for (std::size_t i = first; i < seats_.size(); ++i) {
    const HostPage end = seats_[i].pages.end;
    seats_[i].reach = i == 0 ? end : std::max(end, seats_[i - 1].reach);
  }
}

}  // namespace mmu
