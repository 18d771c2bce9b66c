// Pages that a vCPU does without until the host has read them in.
//
// Named by the frame as slots have it, so that two aliases of a page wait once,
// but for those that are slots of their own; kept with the address that was
// used first, for the fault that maps it in the end.
//
// KVM: virt/kvm/async_pf.c, kvm_add_async_pf_gfn() (v6.16).
#pragma once

#include <cstddef>
#include <vector>

#include "core/address.hpp"

namespace mmu {

class AsyncFaults {
 public:
  // KVM: ASYNC_PF_PER_VCPU.
  static constexpr std::size_t kMost = 64;

  struct Pending {
    Gfn gfn;
    AliasedGfn issued;
  };

  // True if the page is waited for now, or was before (the vCPU halts). False:
  // there are too many, so the fault has to wait itself.
  bool queue(Gfn gfn, AliasedGfn issued) {
    for (const Pending& page : pending_) {
      if (page.gfn == gfn) return true;
    }
    if (pending_.size() == kMost) return false;
    pending_.push_back({gfn, issued});
    return true;
  }
  // In the order in which they were queued.
  const std::vector<Pending>& pending() const { return pending_; }
  void drop_first(std::size_t count) {
    pending_.erase(pending_.begin(),
                   pending_.begin() + static_cast<std::ptrdiff_t>(count));
  }

 private:
  std::vector<Pending> pending_;
};

}  // namespace mmu
