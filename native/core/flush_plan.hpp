// What is to be flushed, as values: the request of an operation, what the
// operation took away through each alias, and the plan that a strategy makes
// of both. Who carries a plan out is tlb_flush.hpp's business.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/address.hpp"

namespace mmu {

enum class FlushScope : std::uint8_t { kNone, kRange, kFull };

// The smallest range of frames, as issued, that holds everything which lost a
// permission through one alias.
struct Hull {
  AliasedRange range{};

  bool empty() const { return range.empty(); }
  void add(AliasedRange more) {
    if (more.empty()) return;
    if (empty()) {
      range = more;
      return;
    }
    range.start = std::min(range.start, more.start);
    range.end = std::max(range.end, more.end);
  }
};

// What an operation took, alias by alias, since its last flush.
class Takings {
 public:
  static constexpr std::size_t kMost = 16;

  void add(unsigned alias, AliasedRange frames) {
    if (frames.empty()) return;
    hulls_[alias].add(frames);
    is_empty_ = false;
  }
  const Hull& of(unsigned alias) const { return hulls_[alias]; }
  // Asked for every event, and nearly always there is nothing to clear.
  void clear() {
    if (is_empty_) return;
    hulls_ = {};
    is_empty_ = true;
  }

 private:
  std::array<Hull, kMost> hulls_{};
  bool is_empty_ = true;
};

// A flush that KVM asks for by range, in the frames of the slot.
struct FlushRequest {
  GfnRange range{};
  const Takings& taken;
};

// Calls of the range provider in order, and what a failure means. Without a
// provider, any plan that is not empty is a full flush.
struct FlushPlan {
  static constexpr std::size_t kMost = 16;

  std::array<AliasedRange, kMost> calls{};
  std::size_t count = 0;
  // From this call on nobody looks at the result.
  std::size_t heeded = kMost;
  // A full flush as well, whatever the calls said.
  bool full = false;

  void call(AliasedRange range) { calls[count++] = range; }
  bool is_empty() const { return count == 0 && !full; }

  static FlushPlan everything() { return {.full = true}; }
  static FlushPlan one(GfnRange range) {
    FlushPlan plan;
    plan.call({{range.start.value}, {range.end.value}});
    return plan;
  }
};

}  // namespace mmu
