#include "core/frame_set.hpp"

#include <iterator>

namespace mmu {

FrameSet::Intervals::const_iterator FrameSet::first_ending_above(
    Gfn gfn) const noexcept {
  auto at = intervals_.upper_bound(gfn);
  if (at == intervals_.begin()) return at;
  const auto before = std::prev(at);
  return before->second > gfn ? before : at;
}

bool FrameSet::covers(GfnRange range) const noexcept {
  if (range.empty()) return true;
  const auto at = first_ending_above(range.start);
  return at != intervals_.end() && at->first <= range.start &&
         range.end <= at->second;
}

bool FrameSet::meets(GfnRange range) const noexcept {
  if (range.empty()) return false;
  const auto at = first_ending_above(range.start);
  return at != intervals_.end() && at->first < range.end;
}

std::uint64_t FrameSet::count_in(GfnRange range) const noexcept {
  std::uint64_t sum = 0;
  for_each_in(range, [&](GfnRange part) { sum += part.size(); });
  return sum;
}

// What the range overlaps or touches becomes one interval with it. The node is
// made before anything else changes.
void FrameSet::add(GfnRange range) {
  if (covers(range)) return;
  const std::uint64_t fresh = range.size() - count_in(range);
  auto at = intervals_.upper_bound(range.start);
  const bool touches_before =
      at != intervals_.begin() && std::prev(at)->second >= range.start;
  if (touches_before) {
    --at;
  } else {
    at = intervals_.emplace_hint(at, range.start, range.end);
  }
  Gfn end = std::max(at->second, range.end);
  auto next = std::next(at);
  while (next != intervals_.end() && next->first <= end) {
    end = std::max(end, next->second);
    next = intervals_.erase(next);
  }
  at->second = end;
  size_ += fresh;
}

void FrameSet::remove(GfnRange range) {
  const std::uint64_t gone = count_in(range);
  if (gone == 0) return;
  auto at = intervals_.lower_bound(range.start);
  if (at != intervals_.begin() && std::prev(at)->second > range.start) {
    --at;
    const Gfn end = at->second;
    // Both sides of a hole stay: the upper one needs a node of its own.
    if (range.end < end) intervals_.emplace_hint(std::next(at), range.end, end);
    at->second = range.start;
    ++at;
  }
  while (at != intervals_.end() && at->second <= range.end) {
    at = intervals_.erase(at);
  }
  if (at != intervals_.end() && at->first < range.end) {
    auto node = intervals_.extract(at);
    node.key() = range.end;
    intervals_.insert(std::move(node));
  }
  size_ -= gone;
}

}  // namespace mmu
