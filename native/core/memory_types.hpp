// What the types of the guest's memory do to its mappings: how large a leaf
// may be, which type it has, what a write to an MTRR takes away.
//
// Where HostOptions::memory_types is off, or the strategy's kernel ignores the
// guest's MTRRs, nothing.
//
// KVM: kvm_tdp_page_fault(), vmx_get_mt_mask(), update_mtrr() (v5.10);
// vmx_get_mt_mask() (v6.16).
#pragma once

#include "core/mmu.hpp"

namespace mmu {

// `goal`, or what the types around the access allow if that is less.
Level allowed_by_types(const Mmu& mmu, AliasedGfn issued, Level goal);
// Whether one leaf may map the frame at a level, judged on its own frames.
bool has_one_type(const Mmu& mmu, Gfn gfn, Level level);
// The type bits of a leaf whose first frame this is.
std::uint64_t type_bits(const Mmu& mmu, Gfn first);

// WRMSR on every vCPU. kMtrr where a processor answers #GP, and kUnsupported
// where MTRRs do not count.
Result<Outcome> set_mtrr(Mmu& mmu, std::uint32_t msr, std::uint64_t value);

}  // namespace mmu
