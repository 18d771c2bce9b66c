// Which frames of entries larger than 4K should have gone with a flush that is
// over. Nearly always none: only a flush that was too narrow leaves any.
#pragma once

#include <map>

#include "core/frame_set.hpp"

namespace mmu {

class TlbOverdue {
 public:
  void add(std::uint32_t entry, AliasedRange frames) {
    of_[entry].add(as_set(frames));
  }
  bool has(std::uint32_t entry, AliasedGfn issued) const noexcept {
    const auto found = of_.find(entry);
    return found != of_.end() && found->second.contains({issued.value});
  }
  template <class Visit>
  void each(std::uint32_t entry, Visit visit) const {
    const auto found = of_.find(entry);
    if (found == of_.end()) return;
    found->second.for_each_in(kAllGfns, [&](GfnRange part) {
      visit(AliasedRange{{part.start.value}, {part.end.value}});
    });
  }
  void drop(std::uint32_t entry) noexcept { of_.erase(entry); }
  void clear() noexcept {
    if (!of_.empty()) of_.clear();
  }

 private:
  // As issued; nobody asks this set for a slot's frames.
  static GfnRange as_set(AliasedRange frames) {
    return {{frames.start.value}, {frames.end.value}};
  }

  std::map<std::uint32_t, FrameSet> of_;
};

}  // namespace mmu
