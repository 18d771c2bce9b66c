// A memslot as a run of first touches needs it: its few fields side by side,
// and an answer for a frame in a handful of instructions.
//
// Good while no slot changes, which nothing in such a run does.
#pragma once

#include "core/event.hpp"
#include "core/leaf.hpp"
#include "core/memslot.hpp"

namespace mmu {

class SlotWindow {
 public:
  // Of no slot: it holds nothing.
  SlotWindow() = default;
  // Of a slot whose frames are mapped by 4K leaves that all grant the same;
  // of another it holds nothing.
  explicit SlotWindow(Memslot& slot) {
    if (!slot.is_logged() && slot.backing != Level::k4K) return;
    const bool writable = !slot.is_readonly();
    start_ = slot.range.start.value;
    frames_ = slot.range.size();
    pfn_offset_ = slot.pfn_offset;
    pfn_mask_ = slot.pfn_mask;
    plain_ = make_leaf({0}, Level::k4K, writable);
    grants_ = writable ? kAccessMask : kAccessMask & ~kAccessWrite;
    if (slot.dirty && writable) dirty_ = slot.dirty->marker();
  }

  bool holds(Gfn gfn) const { return gfn.value - start_ < frames_; }
  bool grants(std::uint8_t access) const { return (access & ~grants_) == 0; }
  // Of a frame that it holds.
  Spte leaf(Gfn gfn) const {
    const std::uint64_t pfn = (gfn.value + pfn_offset_) & pfn_mask_;
    return {plain_.raw | pfn << kPageShift};
  }
  void mark_dirty(Gfn gfn) const {
    if (dirty_.words != nullptr) dirty_.set(gfn.value - start_);
  }
  [[gnu::always_inline]] void prefetch_dirty(Gfn gfn) const {
    if (dirty_.words != nullptr && holds(gfn)) {
      dirty_.prefetch(gfn.value - start_);
    }
  }

 private:
  std::uint64_t start_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t pfn_offset_ = 0;
  std::uint64_t pfn_mask_ = 0;
  Spte plain_{};
  unsigned grants_ = 0;
  DirtyBitmap::Marker dirty_{};
};

}  // namespace mmu
