#include "core/host_events.hpp"

#include <string>

#include "core/flavour.hpp"
#include "core/host_ops.hpp"
#include "core/rules/rule_set.hpp"
#include "core/tracepoints/tracer.hpp"

namespace mmu {
namespace {

// The frames of a slot that stand on these host pages: one does at least.
GfnRange frames_on(const Memslot& slot, HostRange pages) {
  const HostRange own = host_pages(slot, slot.range);
  const HostPage first = std::max(pages.start, own.start);
  const HostPage last = std::min(pages.end, own.end);
  return {{slot.range.start.value + (first.value - own.start.value)},
          {slot.range.start.value + (last.value - own.start.value)}};
}

// Calls act(frames) for every slot that stands on the pages. True if one does.
template <class Act>
bool for_each_on(const Mmu& mmu, HostRange pages, Act act) {
  const std::span<Memslot* const> slots = mmu.slots().on(pages);
  for (const Memslot* slot : slots) act(frames_on(*slot, pages));
  return !slots.empty();
}

}  // namespace

void remember_slots(Mmu& mmu) {
  mmu.slots().remember(!mmu.invalidations.is_open() && !mmu.interleave);
}

void open_invalidation(Mmu& mmu) {
  mmu.invalidations.begin();
  remember_slots(mmu);
}

void close_invalidation(Mmu& mmu) {
  mmu.invalidations.end();
  remember_slots(mmu);
}

InvalidationView invalidation_view(const Mmu& mmu) {
  const Invalidations& all = mmu.invalidations;
  return {all.in_progress(), all.range().start.value, all.range().end.value,
          all.sequence()};
}

// One flush for all slots, and one invalidation, if there is a slot at all.
void begin_hva_invalidation(Mmu& mmu, HostRange pages) {
  ++mmu.invalidations.active_notifiers;
  if (mmu.trace) {
    mmu.trace->out().unmap_hva_range(
        {pages.start.value << kPageShift, pages.end.value << kPageShift});
  }
  bool found = false;
  bool any = false;
  for_each_on(mmu, pages, [&](GfnRange frames) {
    if (!found) open_invalidation(mmu);
    found = true;
    mmu.invalidations.add(frames);
    any |= mmu.ops->invalidate_host(frames);
  });
  if (any) mmu.flush.all();
  if (mmu.rules == nullptr) return;
  for_each_on(mmu, pages,
              [&](GfnRange frames) { mmu.rules->unmapped(frames); });
}

void end_hva_invalidation(Mmu& mmu, HostRange pages) {
  if (mmu.invalidations.active_notifiers == 0) return;
  --mmu.invalidations.active_notifiers;
  if (for_each_on(mmu, pages, [](GfnRange) {})) close_invalidation(mmu);
}

// Never a flush.
bool age_hva(Mmu& mmu, HostRange pages, bool clear) {
  if (mmu.trace) {
    const std::uint64_t start = pages.start.value << kPageShift;
    if (clear) {
      mmu.trace->out().age_hva({start, pages.end.value << kPageShift});
    } else {
      mmu.trace->out().test_age_hva(start);
    }
  }
  bool young = false;
  for_each_on(mmu, pages,
              [&](GfnRange frames) { young |= mmu.ops->age(frames, clear); });
  return young;
}

std::optional<Error> slots_are_busy(const Mmu& mmu) {
  const std::uint64_t open = mmu.invalidations.active_notifiers;
  if (open == 0) return std::nullopt;
  return Error{ErrorCode::kBusy,
               {{{"open", open}}},
               "the memslots cannot change while the host takes memory back: "
               "hva-begin events that are open: " +
                   std::to_string(open)};
}

}  // namespace mmu
