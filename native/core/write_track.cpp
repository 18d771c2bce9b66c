#include "core/write_track.hpp"

#include <limits>
#include <utility>

namespace mmu {

WriteTrack::Count WriteTrack::count(Gfn gfn) const noexcept {
  const auto after = edges_.upper_bound(gfn);
  return after == edges_.begin() ? Count{0} : std::prev(after)->second;
}

bool WriteTrack::meets(GfnRange range) const noexcept {
  if (edges_.empty() || range.empty()) return false;
  if (count(range.start) != 0) return true;
  auto next = edges_.upper_bound(range.start);
  while (next != edges_.end() && next->first < range.end) {
    if (next->second != 0) return true;
    ++next;
  }
  return false;
}

std::uint64_t WriteTrack::sum(GfnRange range) const noexcept {
  std::uint64_t sum = 0;
  Gfn from = range.start;
  Count watchers = count(from);
  for (auto edge = edges_.upper_bound(from);
       edge != edges_.end() && edge->first < range.end; ++edge) {
    sum += (edge->first.value - from.value) * watchers;
    from = edge->first;
    watchers = edge->second;
  }
  return sum + (range.end.value - from.value) * watchers;
}

WriteTrack::Edges::iterator WriteTrack::cut_at(Gfn gfn) {
  return edges_.try_emplace(gfn, count(gfn)).first;
}

void WriteTrack::make_room(GfnRange range) {
  if (range.empty()) return;
  cut_at(range.end);
  cut_at(range.start);
}

// Edges that separate nothing any more go. One that a lack of memory leaves
// behind says what was so before.
template <class Change>
void WriteTrack::change(GfnRange range, Change change) {
  if (range.empty()) return;
  const auto end = cut_at(range.end);
  const auto first = cut_at(range.start);
  for (auto at = first; at != end; ++at) change(at->second);
  Count before = first == edges_.begin() ? Count{0} : std::prev(first)->second;
  const auto past = std::next(end);
  for (auto at = first; at != past;) {
    const bool separates = std::exchange(before, at->second) != at->second;
    at = separates ? std::next(at) : edges_.erase(at);
  }
}

// KVM: update_gfn_write_track(), which warns and does nothing at the ends.
void WriteTrack::add(GfnRange range) {
  change(range, [](Count& count) {
    count += count != std::numeric_limits<Count>::max();
  });
}

void WriteTrack::remove(GfnRange range) {
  change(range, [](Count& count) { count -= count != 0; });
}

}  // namespace mmu
