#include "core/vm_events.hpp"

#include <limits>
#include <utility>

#include "core/dirty_calls.hpp"
#include "core/flavour.hpp"
#include "core/reach.hpp"
#include "core/ring_calls.hpp"
#include "core/rules/rule_set.hpp"
#include "core/tracepoints/tracer.hpp"

namespace mmu {
namespace {

GfnRange frames_of(const VmEvent& event) {
  return {{event.start}, {event.end}};
}

template <class Act>
void for_each_slot(Mmu& mmu, GfnRange range, Act act) {
  for (Memslot* slot : mmu.slots().in_id_order()) {
    if (range.empty() || slot->range.overlaps(range)) act(*slot);
  }
}

// In manual mode a reader gets a copy, and nothing is taken.
std::uint64_t take_dirty_logs(Mmu& mmu, GfnRange range) {
  std::uint64_t pages = 0;
  if (mmu.log.is_manual) return pages;
  for_each_slot(mmu, range, [&](Memslot& slot) {
    if (slot.is_logged()) pages += take_dirty_log(mmu, slot);
  });
  return pages;
}

// Where dirty pages are in rings, both ioctls fail: ENXIO.
void get_dirty_logs(Mmu& mmu, const VmEvent& event, Outcome& out) {
  if (mmu.rings != nullptr) {
    out.code = OutcomeCode::kError;
    return;
  }
  count_round(mmu.dirty_rounds, take_dirty_logs(mmu, frames_of(event)));
}

void clear_dirty_logs(Mmu& mmu, const VmEvent& event, Outcome& out) {
  if (mmu.rings != nullptr) {
    out.code = OutcomeCode::kError;
    return;
  }
  const GfnRange range = frames_of(event);
  for_each_slot(mmu, range, [&](Memslot& slot) {
    if (!slot.is_logged()) return;
    clear_dirty_windows(mmu, slot, range.empty() ? slot.range : range);
  });
}

void reset_every_ring(Mmu& mmu, const VmEvent&, Outcome& out) {
  if (!collect_and_reset_rings(mmu)) out.code = OutcomeCode::kError;
}

// Nobody asks for a log of what cannot be written, and private memory has none.
// All bitmaps are made before the first slot changes, so that the event happens
// whole or not at all.
void start_loggings(Mmu& mmu, GfnRange range) {
  std::vector<std::pair<Memslot*, Bitmaps>> ready;
  for_each_slot(mmu, range, [&](Memslot& slot) {
    if (slot.is_logged() || slot.is_readonly() || slot.has_memfd()) return;
    ready.emplace_back(&slot, make_bitmaps(mmu, slot));
  });
  for (auto& [slot, bitmaps] : ready) {
    start_logging(mmu, *slot, std::move(bitmaps));
  }
}

void stop_loggings(Mmu& mmu, GfnRange range) {
  for_each_slot(mmu, range, [&](Memslot& slot) {
    if (slot.is_logged()) stop_logging(mmu, slot);
  });
}

// Twins are asked one by one, each with a flush of its own.
void zap_range(Mmu& mmu, GfnRange range) {
  const unsigned parts =
      mmu.traits.twin_slots ? mmu.alias.space().alias_count() : 1;
  for (unsigned alias = 0; alias < parts; ++alias) {
    const std::uint64_t offset = mmu.alias.space().offset_of(alias);
    const GfnRange part{{range.start.value + offset},
                        {range.end.value + offset}};
    if (mmu.ops->zap(ZapCause::kRange, part)) mmu.flush.range(part);
  }
  if (mmu.rules) mmu.rules->removed(range);
}

// The frames of a slot that stand on these host pages.
GfnRange frames_on(const Memslot& slot, std::uint64_t start,
                   std::uint64_t end) {
  const std::uint64_t base = slot.hva.value >> kPageShift;
  const std::uint64_t first = std::max(start, base);
  const std::uint64_t last = std::min(end, base + slot.range.size());
  if (first >= last) return {slot.range.start, slot.range.start};
  return {{slot.range.start.value + (first - base)},
          {slot.range.start.value + (last - base)}};
}

// One flush for all slots. KVM: kvm_mmu_notifier_invalidate_range_start().
void invalidate_hva(Mmu& mmu, std::uint64_t start, std::uint64_t end) {
  if (mmu.trace) {
    mmu.trace->out().unmap_hva_range({start << kPageShift, end << kPageShift});
  }
  bool any = false;
  for (const auto& slot : mmu.slots().slots()) {
    const GfnRange frames = frames_on(*slot, start, end);
    if (!frames.empty()) any |= mmu.ops->invalidate_host(frames);
  }
  if (any) mmu.flush.all();
}

void trace_ageing(const Mmu& mmu, const VmEvent& event, bool clear) {
  if (!mmu.trace) return;
  const std::uint64_t start = event.start << kPageShift;
  if (clear) {
    mmu.trace->out().age_hva({start, event.end << kPageShift});
  } else {
    mmu.trace->out().test_age_hva(start);
  }
}

// KVM: kvm_mmu_notifier_clear_young(), kvm_mmu_notifier_test_young().
void age_hva(Mmu& mmu, const VmEvent& event, Outcome& out) {
  const bool clear = event.kind == EventKind::kAge;
  trace_ageing(mmu, event, clear);
  bool young = false;
  for (const auto& slot : mmu.slots().slots()) {
    const GfnRange frames = frames_on(*slot, event.start, event.end);
    if (!frames.empty()) young |= mmu.ops->age(frames, clear);
  }
  out.level = young;
}

// What the guest asks for itself concerns no other vCPU. KVM:
// kvm_vcpu_flush_tlb_guest().
void flush_vcpu(Mmu& mmu, const VmEvent& event, Outcome&) {
  ++mmu.vcpus[event.vcpu].own_flushes;
  if (mmu.tlbs != nullptr) (*mmu.tlbs)[event.vcpu].flush_all();
}

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

// A handler changes the VM; of the outcome it may set code and level.
using Handler = void (*)(Mmu&, const VmEvent&, Outcome&);

void nothing(Mmu&, const VmEvent&, Outcome&) {}

// By EventKind.
constexpr Handler kHandlers[] = {
    nothing,                                        // kAccess
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kZap
      zap_range(mmu, frames_of(event));
    },
    [](Mmu& mmu, const VmEvent&, Outcome&) {  // kZapAllFast
      mmu.ops->zap_all_fast();
    },
    get_dirty_logs,                                 // kDirtyLogGet
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kDirtyLogEnable
      start_loggings(mmu, frames_of(event));
    },
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kDirtyLogDisable
      stop_loggings(mmu, frames_of(event));
    },
    nothing,                                        // kEnd
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kHvaInvalidate
      invalidate_hva(mmu, event.start, event.end);
    },
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kAttributes
      set_attributes(mmu, frames_of(event),
                     (event.flags & kAttributesPrivate) != 0);
    },
    nothing,           // kHvaBegin
    nothing,           // kHvaEnd
    age_hva,           // kAge
    age_hva,           // kTestAge
    clear_dirty_logs,  // kDirtyLogClear
    reset_every_ring,  // kDirtyRingReset
    nothing,           // kWriteTrackAdd
    nothing,           // kWriteTrackRemove
    nothing,           // kPrefault
    flush_vcpu,        // kVcpuTlbFlush
    nothing,           // kAsyncReady
    nothing,           // kNxRecover
};
static_assert(std::size(kHandlers) == kEventKindCount);

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
  if (to_private) {
    frames.add(range);
  } else {
    frames.remove(range);
  }
  mmu.coexisting += left;
  if (mmu.traits.checks_attributes) unmap_opposite(mmu, range, to_private);
}

Outcome apply_vm_event(Mmu& mmu, const VmEvent& event) {
  const std::uint64_t before = mmu.accounts.changed;
  mmu.flush.begin_event(false);
  if (mmu.trace) mmu.trace->begin();
  Outcome out;
  kHandlers[static_cast<unsigned>(event.kind)](mmu, event, out);
  const Outcome done = done_since(mmu, before);
  out.flush = done.flush;
  out.sptes_changed = done.sptes_changed;
  out.flushed_pages = done.flushed_pages;
  return out;
}

Outcome done_since(const Mmu& mmu, std::uint64_t before) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  const EventFlush& flush = mmu.flush.event();
  return {.flush = static_cast<std::uint8_t>(flush.scope),
          .sptes_changed =
              static_cast<std::uint32_t>(mmu.accounts.changed - before),
          .flushed_pages =
              static_cast<std::uint32_t>(std::min(flush.pages, kMost))};
}

}  // namespace mmu
