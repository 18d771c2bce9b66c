#include "core/tlb_flush.hpp"

namespace mmu {

void TlbFlush::range(GfnRange frames) {
  const FlushRequest request{frames, taken_};
  const FlushPlan plan = alias_->flush_plan(request);
  if (on_planned && !plan.is_empty()) on_planned(request, plan);
  carry_out(plan);
  finish(frames);
}

void TlbFlush::all() {
  flush_all();
  finish(kAllGfns);
}

void TlbFlush::carry_out(const FlushPlan& plan) {
  if (plan.is_empty()) {
    ++counts_.none;
    return;
  }
  if (!provider_.exists()) return flush_all();
  for (std::size_t i = 0; i < plan.count; ++i) {
    if (!call(plan.calls[i]) && i < plan.heeded) return flush_all();
  }
  if (plan.full) flush_all();
}

bool TlbFlush::call(AliasedRange frames) {
  if (!provider_.call(frames.size())) return false;
  ++counts_.range;
  counts_.pages += frames.size();
  event_.pages += frames.size();
  widen(FlushScope::kRange);
  if (tlbs_ != nullptr) tlbs_->flush_range(frames);
  return true;
}

// A hook that does the whole VM needs no vCPU. Otherwise each is asked, and
// only those in guest mode are waited for: all but the one that asks.
void TlbFlush::flush_all() {
  ++counts_.full;
  ++counts_.remote_tlb_flush_requests;
  widen(FlushScope::kFull);
  if (provider_.has_full_hook()) {
    ++counts_.remote_tlb_flush;
  } else {
    counts_.remote_tlb_flush += vcpus_ > from_vcpu_;
    ++counts_.served;
  }
  if (tlbs_ != nullptr) tlbs_->request_flush();
}

void TlbFlush::widen(FlushScope scope) noexcept {
  event_.scope = std::max(event_.scope, scope);
}

void TlbFlush::finish(GfnRange frames) {
  taken_.clear();
  if (on_flushed) on_flushed(frames);
}

}  // namespace mmu
