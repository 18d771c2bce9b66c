// Remote TLB flushes: carried out and counted.
//
// An operation says what it took and then asks for a flush, by range or of
// everything; the strategy plans, a range provider is asked if there is one,
// and what it cannot do becomes a full flush: a request to every vCPU. No
// operation ends before each vCPU in guest mode was kicked and has served it,
// and the one that asks serves its own before its next access; so between a
// request and its delivery nobody makes an access (tlb.hpp).
//
// KVM: kvm_flush_remote_tlbs(), kvm_flush_remote_tlbs_range() (v6.16);
// Hyper-V's hooks: kvm_onhyperv.c.
#pragma once

#include <functional>

#include "core/alias/alias_strategy.hpp"
#include "core/flush_provider.hpp"
#include "core/tlb.hpp"

namespace mmu {

struct FlushCounts {
  std::uint64_t none = 0;   // owed and elided
  std::uint64_t range = 0;  // provider calls that succeeded
  std::uint64_t full = 0;
  std::uint64_t pages = 0;  // of those calls
  // Statistics under KVM's names.
  std::uint64_t remote_tlb_flush_requests = 0;
  std::uint64_t remote_tlb_flush = 0;
  // That every vCPU served: tlb_flush of each.
  std::uint64_t served = 0;
};

// What the current event flushed.
struct EventFlush {
  FlushScope scope = FlushScope::kNone;
  std::uint64_t pages = 0;
};

class TlbFlush {
 public:
  // `tlbs` may be null: then decisions are counted and nothing is cached.
  TlbFlush(const Alias& alias, FlushProvider provider, unsigned vcpus,
           TlbSet* tlbs)
      : alias_(&alias), provider_(provider), vcpus_(vcpus), tlbs_(tlbs) {}

  void set_vcpus(unsigned vcpus) noexcept { vcpus_ = vcpus; }
  // Before each event: a vCPU's own need not be kicked.
  void begin_event(bool from_vcpu) noexcept {
    from_vcpu_ = from_vcpu;
    event_ = {};
    taken_.clear();
  }
  // Around events of others in the middle of one, which owes nothing yet.
  struct Paused {
    bool from_vcpu;
    EventFlush event;
  };
  Paused pause() const noexcept { return {from_vcpu_, event_}; }
  void resume(const Paused& paused) noexcept {
    from_vcpu_ = paused.from_vcpu;
    event_ = paused.event;
  }
  // Frames, as issued, that lost a permission through an alias.
  void took(unsigned alias, AliasedRange frames) noexcept {
    taken_.add(alias, frames);
  }
  // A flush of these slot frames is due.
  void range(GfnRange frames);
  // A flush of everything is due.
  void all();
  // Whether KVM would bother to flush range by range.
  bool has_range_hook() const noexcept { return provider_.exists(); }

  const FlushProvider& provider() const noexcept { return provider_; }
  const EventFlush& event() const noexcept { return event_; }
  const FlushCounts& counts() const noexcept { return counts_; }
  // Called after every request, with the frames it was about.
  std::function<void(GfnRange)> on_flushed;
  // Called before a plan for a range is carried out, if it is not empty.
  std::function<void(const FlushRequest&, const FlushPlan&)> on_planned;

 private:
  void carry_out(const FlushPlan& plan);
  bool call(AliasedRange frames);
  void flush_all();
  void widen(FlushScope scope) noexcept;
  void finish(GfnRange frames);

  const Alias* alias_;
  FlushProvider provider_;
  unsigned vcpus_;
  TlbSet* tlbs_;
  bool from_vcpu_ = false;
  EventFlush event_;
  Takings taken_;
  FlushCounts counts_;
};

}  // namespace mmu
