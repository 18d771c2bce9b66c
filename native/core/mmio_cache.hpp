// The hole that a vCPU met last: an access there is emulated without a look at
// the tables, until a slot changes.
//
// What is kept has no alias bits, what is asked for has them all, so an alias
// never hits; and nothing tells page 0 from an empty cache.
//
// KVM: vcpu_cache_mmio_info(), vcpu_match_mmio_gpa() (v6.16).
#pragma once

#include "core/address.hpp"

namespace mmu {

struct MmioCache {
  Gfn gfn;
  std::uint64_t generation = 0;

  bool holds(AliasedGfn issued, std::uint64_t now) const {
    return gfn.value != 0 && gfn.value == issued.value && generation == now;
  }
};

}  // namespace mmu
