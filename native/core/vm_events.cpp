#include "core/vm_events.hpp"

#include <limits>
#include <utility>

#include "core/dirty_calls.hpp"
#include "core/flavour.hpp"
#include "core/host_events.hpp"
#include "core/nx_huge_pages.hpp"
#include "core/pml_log.hpp"
#include "core/prefault.hpp"
#include "core/ring_calls.hpp"
#include "core/rules/rule_set.hpp"
#include "core/tracepoints/tracer.hpp"
#include "core/write_track_ops.hpp"

namespace mmu {
namespace {

GfnRange frames_of(const VmEvent& event) {
  return {{event.start}, {event.end}};
}

template <class Act>
void for_each_slot(Mmu& mmu, GfnRange range, Act act) {
  const MemslotSet& slots = mmu.slots();
  for (Memslot* slot :
       range.empty() ? slots.in_id_order() : slots.in_id_order(range)) {
    act(*slot);
  }
}

// In manual mode a reader gets a copy, and nothing is taken but what vCPUs
// have noted.
std::uint64_t take_dirty_logs(Mmu& mmu, GfnRange range) {
  std::uint64_t pages = 0;
  for_each_slot(mmu, range, [&](Memslot& slot) {
    if (!slot.is_logged()) return;
    if (mmu.log.is_manual) {
      drain_pml(mmu);
    } else {
      pages += take_dirty_log(mmu, slot);
    }
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

// What the guest asks for itself concerns no other vCPU. KVM:
// kvm_vcpu_flush_tlb_guest().
void flush_vcpu(Mmu& mmu, const VmEvent& event, Outcome&) {
  ++mmu.vcpus[event.vcpu].own_flushes;
  if (mmu.tlbs != nullptr) (*mmu.tlbs)[event.vcpu].flush_all();
}

// A handler changes the VM; of the outcome it may set code and level.
using Handler = void (*)(Mmu&, const VmEvent&, Outcome&);

void nothing(Mmu&, const VmEvent&, Outcome&) {}

HostRange host_pages_of(const VmEvent& event) {
  return {{event.start}, {event.end}};
}

// KVM would wait until the slots may change.
bool refuses_while_busy(const Mmu& mmu, Outcome& out) {
  if (!slots_are_busy(mmu)) return false;
  out.code = OutcomeCode::kError;
  return true;
}

// By EventKind.
constexpr Handler kHandlers[] = {
    nothing,                                        // kAccess
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kZap
      zap_range(mmu, frames_of(event));
    },
    [](Mmu& mmu, const VmEvent&, Outcome&) {  // kZapAllFast
      mmu.ops->zap_all_fast();
    },
    get_dirty_logs,                                     // kDirtyLogGet
    [](Mmu& mmu, const VmEvent& event, Outcome& out) {  // kDirtyLogEnable
      if (refuses_while_busy(mmu, out)) return;
      start_loggings(mmu, frames_of(event));
    },
    [](Mmu& mmu, const VmEvent& event, Outcome& out) {  // kDirtyLogDisable
      if (refuses_while_busy(mmu, out)) return;
      stop_loggings(mmu, frames_of(event));
    },
    nothing,                                        // kEnd
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kHvaInvalidate
      begin_hva_invalidation(mmu, host_pages_of(event));
      end_hva_invalidation(mmu, host_pages_of(event));
    },
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kAttributes
      set_attributes(mmu, frames_of(event),
                     (event.flags & kAttributesPrivate) != 0);
    },
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kHvaBegin
      begin_hva_invalidation(mmu, host_pages_of(event));
    },
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kHvaEnd
      end_hva_invalidation(mmu, host_pages_of(event));
    },
    [](Mmu& mmu, const VmEvent& event, Outcome& out) {  // kAge
      out.level = age_hva(mmu, host_pages_of(event), true);
    },
    [](Mmu& mmu, const VmEvent& event, Outcome& out) {  // kTestAge
      out.level = age_hva(mmu, host_pages_of(event), false);
    },
    clear_dirty_logs,                               // kDirtyLogClear
    reset_every_ring,                               // kDirtyRingReset
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kWriteTrackAdd
      track_writes(mmu, frames_of(event));
    },
    [](Mmu& mmu, const VmEvent& event, Outcome&) {  // kWriteTrackRemove
      untrack_writes(mmu, frames_of(event));
    },
    [](Mmu& mmu, const VmEvent& event, Outcome& out) {  // kPrefault
      mmu.flush.begin_event(true);
      const Prefaulted done =
          prefault(mmu, event.vcpu, {{event.start}, {event.end}});
      out.level = static_cast<std::uint8_t>(done.level);
      if (done.pages == 0) out.code = OutcomeCode::kError;
    },
    flush_vcpu,                                         // kVcpuTlbFlush
    [](Mmu& mmu, const VmEvent& event, Outcome& out) {  // kAsyncReady
      mmu.flush.begin_event(true);
      if (!finish_async_faults(mmu, event.vcpu)) {
        out.code = OutcomeCode::kError;
      }
    },
    [](Mmu& mmu, const VmEvent&, Outcome&) {  // kNxRecover
      recover_nx_huge_pages(mmu);
    },
};
static_assert(std::size(kHandlers) == kEventKindCount);

}  // namespace

// Twins are asked one by one, each with a flush of its own. An invalidation
// like any other, whether or not a slot is there. KVM: kvm_zap_gfn_range().
void zap_range(Mmu& mmu, GfnRange range) {
  open_invalidation(mmu);
  const unsigned parts =
      mmu.traits.twin_slots ? mmu.alias.space().alias_count() : 1;
  for (unsigned alias = 0; alias < parts; ++alias) {
    const std::uint64_t offset = mmu.alias.space().offset_of(alias);
    const GfnRange part{{range.start.value + offset},
                        {range.end.value + offset}};
    mmu.invalidations.add(part);
    if (mmu.ops->zap(ZapCause::kRange, part)) mmu.flush.range(part);
  }
  close_invalidation(mmu);
  if (mmu.rules) mmu.rules->removed(range);
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
  const std::uint64_t changed = mmu.accounts.changed - before;
  return {.flush = static_cast<std::uint8_t>(flush.scope),
          .sptes_changed = static_cast<std::uint32_t>(std::min(changed, kMost)),
          .flushed_pages =
              static_cast<std::uint32_t>(std::min(flush.pages, kMost))};
}

}  // namespace mmu
