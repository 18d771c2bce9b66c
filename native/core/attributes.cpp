// Memory attributes: what a conversion between private and shared does.
//
// KVM: kvm_vm_set_mem_attributes(), kvm_arch_pre_set_memory_attributes()
// (v6.16).
#include <algorithm>
#include <optional>

#include "core/flavour.hpp"
#include "core/host_events.hpp"
#include "core/reach.hpp"
#include "core/vm_events.hpp"

namespace mmu {
namespace {

// Pages that change their attribute and stay mapped the way they were.
std::uint64_t left_mapped(const Mmu& mmu, GfnRange range, bool to_private) {
  std::uint64_t pages = 0;
  for (const View& view : mmu.alias.every_view(range)) {
    if (view.is_private == to_private) continue;
    const PageTable& tree = mmu.tree(view.root);
    for_each_reached(tree, view.range, [&](AliasedRange leaf, Spte, Level) {
      const std::uint64_t first = std::max(leaf.start, view.range.start).value;
      const std::uint64_t last = std::min(leaf.end, view.range.end).value;
      const GfnRange frames{{first - view.offset}, {last - view.offset}};
      const std::uint64_t is = mmu.private_frames.count_in(frames);
      pages += to_private ? frames.size() - is : is;
    });
  }
  return pages;
}

// Takes the mappings that go with the old attribute, and flushes.
void unmap_opposite(Mmu& mmu, GfnRange range, bool to_private) {
  const ZapCause cause =
      to_private ? ZapCause::kToPrivate : ZapCause::kToShared;
  if (mmu.ops->zap(cause, range)) mmu.flush.range(range);
}

// Whether the frames of a huge page have one attribute before the change.
bool is_uniform(const FrameSet& frames, GfnRange page) {
  return !frames.meets(page) || frames.covers(page);
}

void widen(Invalidations& window, const FrameSet& frames, const Memslot& slot,
           GfnRange part, Level level) {
  const Gfn head = round_down(part.start, level);
  const Gfn tail = round_down(part.end, level);
  for (const Gfn first : {head, tail}) {
    const GfnRange page{first, {first.value + pages_per(level)}};
    const bool straddles = page.start < part.start || part.end < page.end;
    const bool inside =
        slot.range.start <= page.start && page.end <= slot.range.end;
    if (straddles && inside && is_uniform(frames, page)) window.add(page);
  }
}

// The frames over which faults must retry: those that change, and the huge
// pages at both ends that could be mapped whole until now, lest a fault beside
// the range map one over it. None where no slot is met.
std::optional<GfnRange> window_of(const Mmu& mmu, GfnRange range) {
  Invalidations window;
  for (const auto& slot : mmu.slots().meeting(range)) {
    const GfnRange part{std::max(slot->range.start, range.start),
                        std::min(slot->range.end, range.end)};
    window.add(part);
    for (const Level level : {Level::k2M, Level::k1G}) {
      widen(window, mmu.private_frames, *slot, part, level);
    }
  }
  if (window.range().empty()) return std::nullopt;
  return window.range();
}

}  // namespace

// KVM stores last, with entries reserved before; one thread cannot tell, and
// what may fail for want of memory comes first.
// KVM: kvm_vm_set_mem_attributes().
void set_attributes(Mmu& mmu, GfnRange range, bool to_private) {
  FrameSet& frames = mmu.private_frames;
  if (to_private ? frames.covers(range) : !frames.meets(range)) return;
  const bool keeps_both =
      !mmu.traits.checks_attributes && !mmu.traits.claims_exclusion;
  const std::uint64_t left =
      keeps_both ? left_mapped(mmu, range, to_private) : 0;
  const std::optional<GfnRange> window = window_of(mmu, range);
  if (to_private) {
    frames.add(range);
  } else {
    frames.remove(range);
  }
  mmu.coexisting += left;
  if (!mmu.traits.checks_attributes) return;
  if (window) {
    open_invalidation(mmu);
    mmu.invalidations.add(*window);
  }
  unmap_opposite(mmu, range, to_private);
  if (window) close_invalidation(mmu);
}

}  // namespace mmu
