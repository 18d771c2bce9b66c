// The steps of a fault, each in a file of its own. Only fault.cpp, which knows
// their order, and these files include this.
#pragma once

#include "core/fault.hpp"

namespace mmu {

// fault_fast.cpp. Other than kRetry, hardware may try again.
OutcomeCode fix_fast(Mmu& mmu, Fault& fault);

// fault_slow.cpp: what needs the lock. After the pool ensured a path.
OutcomeCode handle_slow(Mmu& mmu, Fault& fault);

// interleave.cpp. True: somebody has run, and anything may have changed.
bool let_others_run(Mmu& mmu, InterleaveAt at);

}  // namespace mmu
